//! Parts of an image on a grid, with the place of each.

use super::DataError;
use super::arrays::check_values;
use super::encoders::check;
use conex_systems::Real;
use conex_systems::random::Seed;
use ndarray::{Array3, Array4, ArrayBase, ArrayView3, Data, Ix3, s};
use rand::seq::SliceRandom;
use std::ops::Range;

/// Distances, in pixels, by which the part of an image that belongs to a cell stays within the cell on each side; negative
/// ones let it reach beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// From the cell's left side.
    pub left: i32,
    /// From its right side.
    pub right: i32,
    /// From its upper side.
    pub top: i32,
    /// From its lower side.
    pub bottom: i32,
}

/// Left, right, top, bottom, as CoNeX lists them.
impl From<[i32; 4]> for Gap {
    fn from([left, right, top, bottom]: [i32; 4]) -> Self {
        Gap { left, right, top, bottom }
    }
}

/// Lays a grid over an image, and shows one cell after another: the image without it, the image but for it dark, or the
/// cell alone.
///
/// An image of (channels, H, W) falls into m x n cells of ⌈H/m⌉ x ⌈W/n⌉ pixels, row by row. With each view comes its
/// location, m x n numbers: 1 at the cell and 0 elsewhere when it is kept or cropped, 0 at the cell and 1 elsewhere when it
/// is erased. It tells a second population where on the image the first one looks.
///
/// | parameter | unit | default | meaning |
/// |---|---|---|---|
/// | `m`, `n` | cells | none | rows and columns of the grid, at least 1 |
/// | `gap` | pixels | 0 | how far the part in question stays within its cell, as left, right, top, bottom |
/// | `random_order` | | row by row | draws the order of the cells from a seed, for each image of a [`LocationDataset`](super::LocationDataset) anew |
/// | `conex_gap` | | no | whether gaps act as in CoNeX |
///
/// # Shapes
/// [`apply`](Self::apply) gives views of (m·n, channels, h, w) and locations of (m·n, m, n). Views are as large as the image;
/// cropped ones are as large as the cell less its gaps.
///
/// Where m or n do not divide the image, the last cells are smaller: views that are cropped are filled up with zeros.
/// Cells may even lie beyond the image; then nothing is erased, and what is kept or cropped is dark.
///
/// Gaps do here what CoNeX documents. CoNeX itself mixes up the axes, in `GridKeepMask` otherwise than in the other two;
/// [`conex_gap`](Self::conex_gap) does the same.
///
/// ```
/// use conex::data::{GridMask, digits};
/// # fn main() -> Result<(), conex::data::DataError> {
/// let digit = digits()?.array(0)?;
/// let (views, locations) = GridMask::crop(2, 2).gap([-1, -1, -1, -1]).apply(&digit)?;
/// assert_eq!((views.dim(), locations.dim()), ((4, 1, 6, 6), (4, 2, 2)));
/// # Ok(())
/// # }
/// ```
#[doc(alias = "GridEraseMask")]
#[doc(alias = "GridKeepMask")]
#[doc(alias = "GridCropMask")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridMask {
    kind: Kind,
    m: usize,
    n: usize,
    gap: Gap,
    conex_gap: bool,
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Erase,
    Keep,
    Crop,
}

impl GridMask {
    /// Views without one of the m x n cells: it is dark.
    #[doc(alias = "GridEraseMask")]
    pub fn erase(m: usize, n: usize) -> Self {
        Self::new(Kind::Erase, m, n)
    }

    /// Views of one of the m x n cells: all else is dark.
    #[doc(alias = "GridKeepMask")]
    pub fn keep(m: usize, n: usize) -> Self {
        Self::new(Kind::Keep, m, n)
    }

    /// Views of one of the m x n cells, cut out.
    #[doc(alias = "GridCropMask")]
    pub fn crop(m: usize, n: usize) -> Self {
        Self::new(Kind::Crop, m, n)
    }

    fn new(kind: Kind, m: usize, n: usize) -> Self {
        GridMask { kind, m, n, gap: Gap::default(), conex_gap: false, seed: None }
    }

    /// Keeps the part in question within its cell by `gap`: a [`Gap`], or `[left, right, top, bottom]` in pixels.
    #[must_use]
    pub fn gap(mut self, gap: impl Into<Gap>) -> Self {
        self.gap = gap.into();
        self
    }

    /// Lets gaps act as in CoNeX. With L, R, T, B the four gaps and the corner (y, x) of a cell of h x w pixels, erase and
    /// crop take h - T - B rows from y + L on and w - L - R columns from x + T on; keep takes the rows from y + L to
    /// y + h - R and the columns from x + T to x + w - B.
    #[must_use]
    pub fn conex_gap(mut self) -> Self {
        self.conex_gap = true;
        self
    }

    /// Shows the cells in an order drawn from `seed`.
    #[must_use]
    pub fn random_order(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The number of cells, m·n.
    pub fn cells(&self) -> usize {
        self.m.saturating_mul(self.n)
    }

    /// The views of `image`, and their locations.
    ///
    /// # Shapes
    /// `image`: (channels, H, W). Result: (m·n, channels, h, w) and (m·n, m, n).
    ///
    /// # Errors
    /// When the grid or the image is empty, or the gaps leave nothing of a cell.
    pub fn apply<S>(&self, image: &ArrayBase<S, Ix3>) -> Result<(Array4<Real>, Array3<Real>), DataError>
    where
        S: Data<Elem = Real>,
    {
        self.apply_nth(image.view(), 0)
    }

    /// As [`apply`](Self::apply), in the order of cells that belongs to image `index`.
    pub(super) fn apply_nth(
        &self,
        image: ArrayView3<'_, Real>,
        index: usize,
    ) -> Result<(Array4<Real>, Array3<Real>), DataError> {
        let (channels, height, width) = image.dim();
        let (h, w) = self.view_size(image.dim())?;
        let mut views = Array4::zeros((self.cells(), channels, h, w));
        let (outside, inside) = if self.kind == Kind::Erase { (1.0, 0.0) } else { (0.0, 1.0) };
        let mut locations = Array3::from_elem((self.cells(), self.m, self.n), outside);
        let each = views.outer_iter_mut().zip(locations.outer_iter_mut());
        for ((mut view, mut location), cell) in each.zip(self.order(index)) {
            let place = (cell / self.n, cell % self.n);
            location[place] = inside;
            let part = self.part(place, (height.div_ceil(self.m), width.div_ceil(self.n)));
            let (rows, columns) = (within(&part.rows, height), within(&part.columns, width));
            let seen = image.slice(s![.., rows.clone(), columns.clone()]);
            match self.kind {
                Kind::Erase => {
                    view.assign(&image);
                    view.slice_mut(s![.., rows, columns]).fill(0.0);
                }
                Kind::Keep => view.slice_mut(s![.., rows, columns]).assign(&seen),
                // All of the part lies beyond the image.
                Kind::Crop if seen.is_empty() => {}
                Kind::Crop => {
                    let down = (rows.start as i64 - part.rows.start) as usize;
                    let right = (columns.start as i64 - part.columns.start) as usize;
                    view.slice_mut(s![.., down..down + rows.len(), right..right + columns.len()])
                        .assign(&seen);
                }
            }
        }
        Ok((views, locations))
    }

    /// Rows and columns of each view of an image of `shape`, when all is well.
    fn view_size(&self, shape: (usize, usize, usize)) -> Result<(usize, usize), DataError> {
        let (channels, height, width) = shape;
        check("GridMask", "m", self.m as f64, self.m > 0, "at least 1 row of cells")?;
        check("GridMask", "n", self.n as f64, self.n > 0, "at least 1 column of cells")?;
        if channels == 0 || height == 0 || width == 0 {
            return Err(DataError::BadShape { shape: shape.into() });
        }
        let cell = (height.div_ceil(self.m), width.div_ceil(self.n));
        let part = self.part((0, 0), cell);
        if part.rows.is_empty() || part.columns.is_empty() {
            return Err(DataError::NothingLeft { cell, gap: self.gap });
        }
        let size = |range: Range<i64>| (range.end - range.start) as usize;
        let view = match self.kind {
            Kind::Crop => (size(part.rows), size(part.columns)),
            Kind::Erase | Kind::Keep => (height, width),
        };
        check_values("the views of a mask", &[self.m, self.n, channels, view.0, view.1])?;
        check_values("the locations of a mask", &[self.m, self.n, self.m, self.n])?;
        Ok(view)
    }

    /// What is in question of the cell at `place`. It may reach beyond the image.
    fn part(&self, place: (usize, usize), cell: (usize, usize)) -> Part {
        let Gap { left, right, top, bottom } = self.gap;
        let [left, right, top, bottom] = [left, right, top, bottom].map(i64::from);
        let (h, w) = (cell.0 as i64, cell.1 as i64);
        let (y, x) = (place.0 as i64 * h, place.1 as i64 * w);
        match self.kind {
            _ if !self.conex_gap => Part { rows: y + top..y + h - bottom, columns: x + left..x + w - right },
            Kind::Keep => Part { rows: y + left..y + h - right, columns: x + top..x + w - bottom },
            Kind::Erase | Kind::Crop => Part {
                rows: y + left..y + left + h - top - bottom,
                columns: x + top..x + top + w - left - right,
            },
        }
    }

    /// The cells in the order in which image `index` shows them.
    fn order(&self, index: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.cells()).collect();
        if let Some(seed) = self.seed {
            order.shuffle(&mut Seed(seed).stream("mask", "cells", index as u64));
        }
        order
    }
}

struct Part {
    rows: Range<i64>,
    columns: Range<i64>,
}

/// What of `range` lies within 0..`length`.
fn within(range: &Range<i64>, length: usize) -> Range<usize> {
    let length = length as i64;
    let start = range.start.clamp(0, length);
    start as usize..range.end.clamp(start, length) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Axis;
    use proptest::prelude::*;

    const ALL: [fn(usize, usize) -> GridMask; 3] = [GridMask::erase, GridMask::keep, GridMask::crop];

    /// No pixel is dark, and none like another.
    fn image(shape: (usize, usize, usize)) -> Array3<Real> {
        Array3::from_shape_fn(shape, |(c, y, x)| (1 + (c * shape.1 + y) * shape.2 + x) as Real)
    }

    #[test]
    fn what_is_erased_and_what_is_kept_make_up_the_image() {
        for gap in [[0, 0, 0, 0], [1, 0, 2, 1], [-1, 2, 0, -3]] {
            let image = image((2, 12, 9));
            let (erased, without) = GridMask::erase(3, 2).gap(gap).apply(&image).unwrap();
            let (kept, with) = GridMask::keep(3, 2).gap(gap).apply(&image).unwrap();
            for (erased, kept) in erased.outer_iter().zip(kept.outer_iter()) {
                assert_eq!(&erased + &kept, image);
                assert!(erased.iter().zip(kept).all(|(e, k)| *e == 0.0 || *k == 0.0));
            }
            assert!((&without + &with).iter().all(|&x| x == 1.0));
        }
    }

    #[test]
    fn the_cells_without_gaps_make_up_the_image() {
        let image = image((1, 7, 9));
        let (kept, _) = GridMask::keep(3, 2).apply(&image).unwrap();
        assert_eq!(kept.sum_axis(Axis(0)), image);
        let (cropped, _) = GridMask::crop(3, 2).apply(&image).unwrap();
        assert_eq!(cropped.sum(), image.sum());
        assert_eq!(cropped.dim(), (6, 1, 3, 5));
    }

    #[test]
    fn gaps_are_left_right_top_and_bottom() {
        let image = image((1, 8, 10));
        let (kept, _) = GridMask::keep(2, 2).gap([1, 2, 3, 0]).apply(&image).unwrap();
        let (cropped, location) = GridMask::crop(2, 2).gap([1, 2, 3, 0]).apply(&image).unwrap();
        // The last cell holds the rows 4 to 7 and the columns 5 to 9.
        let want = image.slice(s![.., 7..8, 6..8]);
        assert_eq!(cropped.index_axis(Axis(0), 3), want);
        assert_eq!(kept.index_axis(Axis(0), 3).slice(s![.., 7..8, 6..8]), want);
        assert_eq!(kept.index_axis(Axis(0), 3).sum(), want.sum());
        assert_eq!(location.index_axis(Axis(0), 3), ndarray::array![[0.0, 0.0], [0.0, 1.0]]);
    }

    #[test]
    fn a_crop_beyond_the_border_is_dark_there() {
        let image = image((1, 4, 4));
        let (cropped, _) = GridMask::crop(2, 2).gap([-1, 0, -1, 0]).apply(&image).unwrap();
        let first = cropped.index_axis(Axis(0), 0);
        assert_eq!(first.slice(s![0, .., 0]).sum() + first.slice(s![0, 0, ..]).sum(), 0.0);
        assert_eq!(first.slice(s![.., 1.., 1..]), image.slice(s![.., ..2, ..2]));
        assert_eq!(cropped.index_axis(Axis(0), 3), image.slice(s![.., 1.., 1..]));
    }

    #[test]
    fn equal_gaps_act_as_in_conex() {
        for mask in ALL {
            let mask = mask(2, 3).gap([1, 1, 1, 1]);
            let image = image((1, 8, 9));
            assert_eq!(mask.apply(&image).unwrap(), mask.conex_gap().apply(&image).unwrap());
            let uneven = mask.gap([1, 0, 0, 0]);
            assert_ne!(uneven.apply(&image).unwrap(), uneven.conex_gap().apply(&image).unwrap());
        }
    }

    #[test]
    fn a_random_order_keeps_each_view_with_its_location() {
        let image = image((1, 6, 6));
        for mask in ALL {
            let mask = mask(3, 3);
            let (views, locations) = mask.apply(&image).unwrap();
            let (shuffled, places) = mask.random_order(5).apply(&image).unwrap();
            assert_eq!(mask.random_order(5).apply(&image).unwrap().0, shuffled);
            assert_ne!(shuffled, views);
            for (view, place) in shuffled.outer_iter().zip(places.outer_iter()) {
                let at = locations.outer_iter().position(|location| location == place).unwrap();
                assert_eq!(view, views.index_axis(Axis(0), at));
            }
        }
    }

    #[test]
    fn what_leaves_nothing_is_refused() {
        let image = image((1, 4, 4));
        for mask in ALL {
            let nothing = mask(2, 2).gap([1, 1, 0, 0]).apply(&image).unwrap_err();
            assert!(nothing.to_string().contains("cells of 2 x 2"), "{nothing}");
            assert!(mask(0, 2).apply(&image).unwrap_err().to_string().contains("`m`"));
            assert!(mask(2, 0).apply(&image).unwrap_err().to_string().contains("`n`"));
            assert!(matches!(
                mask(1, 1).apply(&image.slice(s![.., ..0, ..])),
                Err(DataError::BadShape { .. })
            ));
            let many = mask(usize::MAX, 2).apply(&image);
            assert!(matches!(many, Err(DataError::TooManyValues { .. })));
        }
        let wide = GridMask::crop(1, 1).gap([i32::MIN; 4]).apply(&image);
        assert!(matches!(wide, Err(DataError::TooManyValues { .. })));
    }

    proptest! {
        #[test]
        fn no_sizes_and_gaps_make_it_panic(
            shape in (0usize..3, 0usize..8, 0usize..8), m in 0usize..10, n in 0usize..10,
            gap in proptest::array::uniform4(-9..5i32), conex: bool, seed in proptest::option::of(0u64..9)
        ) {
            for mask in ALL {
                let mut mask = GridMask { seed, ..mask(m, n).gap(gap) };
                if conex {
                    mask = mask.conex_gap();
                }
                if let Ok((views, locations)) = mask.apply(&image(shape)) {
                    prop_assert_eq!((views.dim().0, views.dim().1), (m * n, shape.0));
                    prop_assert_eq!(locations.dim(), (m * n, m, n));
                }
            }
        }
    }
}
