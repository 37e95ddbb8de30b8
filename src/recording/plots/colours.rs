//! Colours for lines, populations and images.

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub u8, pub u8, pub u8);

pub(super) const INK: Colour = Colour(34, 34, 34);
pub(super) const GREY: Colour = Colour(110, 110, 110);
pub(super) const AXIS: Colour = Colour(150, 150, 150);
pub(super) const GRID: Colour = Colour(232, 232, 232);
pub(super) const WHITE: Colour = Colour(255, 255, 255);
pub(super) const BLUE: Colour = Colour(0, 114, 178);
pub(super) const VERMILLION: Colour = Colour(213, 94, 0);

/// Okabe & Ito's colours but yellow, which is too light for a line on white.
const LINES: [Colour; 6] =
    [BLUE, VERMILLION, Colour(0, 158, 115), Colour(204, 121, 167), Colour(230, 159, 0), Colour(86, 180, 233)];

// Both families start with Okabe & Ito's and go on with Paul Tol's "muted".
const COOL: [Colour; 5] =
    [BLUE, Colour(0, 158, 115), Colour(86, 180, 233), Colour(51, 34, 136), Colour(17, 119, 51)];
const WARM: [Colour; 5] =
    [VERMILLION, Colour(230, 159, 0), Colour(204, 121, 167), Colour(136, 34, 85), Colour(204, 102, 119)];

/// The colour of the `index`th line of a plot.
pub(super) fn of_line(index: usize) -> Colour {
    LINES[index % LINES.len()]
}

/// One colour per population: cool ones in turn for those that excite, warm ones for those that inhibit.
pub(super) fn of_populations(inhibitory: impl Iterator<Item = bool>) -> Vec<Colour> {
    let (mut cool, mut warm) = (COOL.iter().cycle(), WARM.iter().cycle());
    inhibitory.filter_map(|inhibits| if inhibits { warm.next() } else { cool.next() }).copied().collect()
}

/// A colour for each number in 0..=1, darker or lighter all the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColourMap(&'static [Colour]);

/// Dark violet over teal to yellow, in perceptually even steps like matplotlib's viridis (here its values at ninths).
pub(super) const VIRIDIS: ColourMap = ColourMap(&[
    Colour(68, 1, 84),
    Colour(71, 44, 122),
    Colour(59, 81, 139),
    Colour(44, 113, 142),
    Colour(33, 144, 141),
    Colour(39, 173, 129),
    Colour(92, 200, 99),
    Colour(170, 220, 50),
    Colour(253, 231, 37),
]);

/// White to dark blue: numbers stay readable in the many cells near zero.
pub(super) const BLUES: ColourMap = ColourMap(&[
    Colour(250, 251, 254),
    Colour(214, 228, 243),
    Colour(160, 197, 226),
    Colour(95, 157, 205),
    Colour(40, 113, 176),
    Colour(8, 60, 120),
]);

/// Vermillion for the lowest, white for the middle, dark blue for the highest: for numbers around zero.
pub(super) const DIVERGING: ColourMap = ColourMap(&[
    Colour(160, 50, 0),
    VERMILLION,
    Colour(243, 190, 152),
    Colour(250, 250, 250),
    Colour(160, 197, 226),
    Colour(40, 113, 176),
    Colour(8, 60, 120),
]);

impl ColourMap {
    /// The colour at `position`; what is outside 0..=1 takes the colour of that end.
    pub(super) fn at(self, position: f64) -> Colour {
        let place = position.clamp(0.0, 1.0) * (self.0.len() - 1) as f64;
        let lower = (place as usize).min(self.0.len() - 2);
        let (a, b) = (self.0[lower], self.0[lower + 1]);
        let mix =
            |a, b| (f64::from(a) + (f64::from(b) - f64::from(a)) * (place - lower as f64)).round() as u8;
        Colour(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    }
}

impl Colour {
    /// How light the eye finds it, roughly, in 0..=255 (Rec. 601).
    pub(super) fn luma(self) -> f64 {
        0.299 * f64::from(self.0) + 0.587 * f64::from(self.1) + 0.114 * f64::from(self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_maps_get_lighter_or_darker_all_the_way() {
        for (map, sign) in [(VIRIDIS, 1.0), (BLUES, -1.0)] {
            let lumas: Vec<_> = (0..=100).map(|k| map.at(f64::from(k) / 100.0).luma() * sign).collect();
            assert!(lumas.is_sorted(), "{lumas:?}");
        }
    }

    #[test]
    fn numbers_around_zero_are_darkest_at_both_ends() {
        let lumas: Vec<_> = (0..=100).map(|k| DIVERGING.at(f64::from(k) / 100.0).luma()).collect();
        assert!(lumas[..=50].is_sorted() && lumas[50..].is_sorted_by(|a, b| a >= b), "{lumas:?}");
    }

    #[test]
    fn colour_maps_take_any_number() {
        assert_eq!(VIRIDIS.at(-3.0), Colour(68, 1, 84));
        assert_eq!(VIRIDIS.at(f64::INFINITY), Colour(253, 231, 37));
        VIRIDIS.at(f64::NAN);
    }

    #[test]
    fn inhibition_takes_colours_of_its_own() {
        let colours = of_populations([false, true, false, true].into_iter());
        assert_eq!(colours, [COOL[0], WARM[0], COOL[1], WARM[1]]);
    }
}
