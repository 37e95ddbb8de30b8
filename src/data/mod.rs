//! Data sets and the encoders that turn them into spikes.
//!
//! [`Images`] hold intensities and labels in memory. They come from [`digits`] (bundled), from [`Mnist`] and other files in
//! the IDX format, or from numbers of your own. [`SimplePoisson`], [`Poisson`] and [`Intensity2Latency`] encode each image
//! as spikes over a time window.
//!
//! Images are prepared with [`Images::map`] and plain functions on arrays: [`convolve`] with a [`DogFilter`], a
//! [`GaborFilter`] or filters of your own, [`split_sign_polarity`], [`squeeze`] and others. A [`GridMask`] shows an image
//! part by part, and a [`LocationDataset`] feeds the parts to one population and their places to another.
//!
//! ```
//! use conex::data::{Poisson, digits};
//! # fn main() -> Result<(), conex::data::DataError> {
//! let (train, test) = digits()?.shuffled(1).split(1500);
//! let encoder = Poisson::new(30, 0.5)?;
//! # let _ = (train, test, encoder);
//! # Ok(())
//! # }
//! ```

mod images;
mod unpack;
mod idx;
mod digits;
mod encoders;
mod latency;
mod arrays;
mod filters;
mod transforms;
mod masks;
mod locations;
mod labels;

pub use digits::{digits, digits_from};
pub use encoders::{Poisson, SimplePoisson};
pub use filters::{DogFilter, GaborFilter, filter_bank};
pub use idx::{Mnist, read_images, read_labelled_images, read_labels};
pub use images::Images;
pub use latency::Intensity2Latency;
pub use locations::{Located, LocationDataset};
pub use masks::{Gap, GridMask};
pub use transforms::{absolute, convolve, split_sign_polarity, squeeze, swap_axes, unsqueeze};

use conex_systems::group::Grid;
use std::io;
use std::path::PathBuf;

/// What is wrong with data, an encoder or a transform, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum DataError {
    // Files.
    /// A folder that is not there.
    #[error("there is no folder `{folder}`: give the folder that holds the files {looked_for}")]
    MissingFolder { folder: PathBuf, looked_for: String },
    /// A file where a folder belongs.
    #[error("`{folder}` is a file: give the folder that holds the files {looked_for}")]
    NotAFolder { folder: PathBuf, looked_for: String },
    /// A folder without one of its files.
    #[error(
        "the folder `{folder}` has no {what}: looked for {looked_for}; put one of these there, packed or unpacked"
    )]
    MissingFile { folder: PathBuf, what: &'static str, looked_for: String },
    /// A file that cannot be read.
    #[error("cannot read `{file}`: {source}; check the path, and that you may read the file")]
    Unreadable { file: PathBuf, source: io::Error },
    /// A gzip file that does not unpack.
    #[error("`{file}` is a damaged or incomplete gzip file ({source}): download or copy it again")]
    CorruptGzip { file: PathBuf, source: io::Error },
    /// A file with more than anyone would want to load.
    #[error(
        "`{file}` holds {sizes}, more than the {limit} bytes that are read at most: the file is damaged, or should be split"
    )]
    TooLarge { file: PathBuf, sizes: String, limit: u64 },

    // IDX.
    /// A file that is not the expected kind of IDX.
    #[error(
        "`{file}` should be an IDX file of {expected}, but it {given}: check that images and labels are not swapped, and that the download is complete"
    )]
    WrongMagic { file: PathBuf, expected: &'static str, given: String },
    /// A file that ends too early.
    #[error(
        "`{file}` ends too early: it should hold {expected} bytes of {part}, but holds {given}; download or copy it again"
    )]
    Truncated { file: PathBuf, part: &'static str, expected: u64, given: u64 },
    /// A file that goes on after its last image or label.
    #[error(
        "`{file}` holds more than the {expected} bytes that its header announces ({sizes}): the file is damaged, download or copy it again"
    )]
    TrailingData { file: PathBuf, expected: u64, sizes: String },
    /// A header with a zero in it.
    #[error(
        "`{file}` holds nothing: its header says {sizes}; give a file with at least one image of at least one pixel"
    )]
    NothingInside { file: PathBuf, sizes: String },
    /// Images and labels that do not belong together.
    #[error(
        "`{images}` holds {image_count} images, but `{labels}` holds {label_count} labels: give the two files of one data set"
    )]
    CountMismatch { images: PathBuf, image_count: usize, labels: PathBuf, label_count: usize },
    /// Training and test images of different sizes.
    #[error(
        "in the folder `{folder}` the training images have {train} pixels each, but the test images {test}: they are from different data sets"
    )]
    ShapesDiffer { folder: PathBuf, train: Grid, test: Grid },

    // Digits.
    /// A text file without any row.
    #[error("`{file}` holds no row: each row should hold 64 pixels and a digit")]
    NoRows { file: PathBuf },
    /// A row that is too short or too long.
    #[error(
        "`{file}`, line {line}: expected {expected} numbers (64 pixels, then the digit) with commas between them, found {given}"
    )]
    ColumnCount { file: PathBuf, line: u64, expected: usize, given: usize },
    /// A number that is none, or out of range.
    #[error(
        "`{file}`, line {line}, column {column}: expected a whole number from 0 to {greatest}, found `{given}`"
    )]
    BadNumber { file: PathBuf, line: u64, column: usize, greatest: u8, given: String },

    // Images in memory.
    /// Images without pixels, or with more than can be counted.
    #[error("images of {} x {} x {} pixels cannot be held: every side must be at least 1, and their product must be a number of pixels that fits into memory", .shape.depth, .shape.height, .shape.width)]
    BadShape { shape: Grid },
    /// Intensities that do not fill whole images.
    #[error("{given} intensities do not fill whole images of {shape} pixels: give a multiple of {}", .shape.len())]
    IntensityCount { shape: Grid, given: usize },
    /// An intensity that is no number.
    #[error("pixel {pixel} of image {image} is {value}: every intensity must be a finite number")]
    NotFinite { image: usize, pixel: usize, value: f64 },
    /// Labels that are too few or too many.
    #[error("there are {labels} labels for {images} images: give one label per image, or none at all")]
    LabelCount { images: usize, labels: usize },
    /// An index beyond the last image.
    #[error("there is no image {index}: the data set holds {images}, counted from 0")]
    NoSuchImage { index: usize, images: usize },

    /// Labels that are asked for, but not known.
    #[error("these images have no labels: give a label per image when they are made")]
    NoLabels,
    /// A label beyond the last class.
    #[error("the label {label} is none of {classes} classes, counted from 0: ask for more classes")]
    NoSuchClass { label: usize, classes: usize },
    /// A class with too few images.
    #[error(
        "class {class} has {images} images, but {wanted} of each class are asked for: ask for fewer, or leave the class out with `of_classes`"
    )]
    TooFewOfClass { class: usize, images: usize, wanted: usize },

    // Encoders, filters and masks.
    /// A parameter outside its range.
    #[error("{of} got {value} for `{parameter}`: it must be {requirement}")]
    Parameter { of: &'static str, parameter: &'static str, value: f64, requirement: &'static str },
    /// A range that is empty.
    #[error(
        "{encoder} got the range {min_val} to {max_val}: both must be finite, and `min_val` below `max_val`"
    )]
    EncoderRange { encoder: &'static str, min_val: f64, max_val: f64 },
    /// No filter where one is needed.
    #[error("a filter bank needs at least one filter")]
    NoFilter,
    /// Filters of different sizes in one bank.
    #[error(
        "the filters of a bank must be of one size, but the first is {} x {} and another {} x {}: give them the same `size` and `step`",
        .first.0, .first.1, .other.0, .other.1
    )]
    FilterSizes { first: (usize, usize), other: (usize, usize) },
    /// Gaps that are wider than the cells.
    #[error(
        "with the gaps left {}, right {}, top {}, bottom {} nothing is left of cells of {} x {} pixels: use smaller gaps, or fewer cells",
        .gap.left, .gap.right, .gap.top, .gap.bottom, .cell.0, .cell.1
    )]
    NothingLeft { cell: (usize, usize), gap: Gap },

    // Transforms.
    /// An axis that the array does not have.
    #[error("there is no axis {axis} among {axes}: axes count from 0, or from -1 at the end backwards")]
    NoSuchAxis { axis: isize, axes: usize },
    /// An axis that cannot be taken away.
    #[error("axis {axis} has the length {length}, and only an axis of length 1 can be squeezed away")]
    AxisNotSingle { axis: isize, length: usize },
    /// An array with too few or too many axes.
    #[error(
        "{what} must have {expected}, but an array of shape {given:?} was given: squeeze or unsqueeze it"
    )]
    AxisCount { what: &'static str, expected: &'static str, given: Vec<usize> },
    /// A transform that gives differently shaped images.
    #[error(
        "the transform gives the shape {given:?} for image {image}, but {first:?} for the first: all images of a data set have one shape"
    )]
    ShapesVary { image: usize, first: Vec<usize>, given: Vec<usize> },
    /// Filters made for other images.
    #[error(
        "an image of {image} channels cannot be convolved with filters for {filters} channels: their second axis must be {image} long"
    )]
    FilterChannels { image: usize, filters: usize },
    /// Filters that do not fit into the image, or do not move.
    #[error(
        "filters of {} x {} with stride ({}, {}) cannot move over an image of {} x {}, its padding included: the stride and the filters' sides must be at least 1, and the filters no larger than the image; use more padding or smaller filters",
        .kernel.0, .kernel.1, .stride.0, .stride.1, .room.0, .room.1
    )]
    FilterDoesNotFit { kernel: (usize, usize), room: (usize, usize), stride: (usize, usize) },
    /// More numbers than anyone would want to compute.
    #[error("{what} of shape {shape:?} would hold more than {limit} values: use smaller sizes")]
    TooManyValues { what: &'static str, shape: Vec<usize>, limit: usize },
}
