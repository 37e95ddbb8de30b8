//! The IDX format of MNIST and its successors.
//!
//! A file is: two zero bytes, the type of its numbers (8 for bytes), the number of dimensions, the size of each dimension
//! as 4 bytes with the highest first, then the numbers.

use super::unpack::Content;
use super::{DataError, Images};
use conex_systems::Real;
use conex_systems::stimulus::Dataset;
use std::path::{Path, PathBuf};

/// No file is unpacked beyond this: EMNIST's largest, 700,000 images of 28 x 28, fits in; a bomb does not.
const LIMIT: u64 = 1 << 30;

const IMAGES: &str = "images (bytes in 3 dimensions)";
const LABELS: &str = "labels (bytes in 1 dimension)";

/// MNIST, handwritten digits of 28 x 28 pixels, and what comes in the same four files (Fashion-MNIST, KMNIST).
///
/// Source: LeCun, Bottou, Bengio & Haffner 1998, doi 10.1109/5.726791.
#[derive(Clone, Copy, Debug)]
pub struct Mnist;

impl Mnist {
    /// The training and the test images with their labels, from the files `train-images-idx3-ubyte`,
    /// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte` in the folder `dir`: packed
    /// (`.gz`) or not, and with a dot or a hyphen before `idx`. Intensities are pixels / 255.
    ///
    /// # Errors
    /// When the folder or a file is not there, or a file is not what its name says (see [`read_labelled_images`]).
    pub fn read(dir: impl AsRef<Path>) -> Result<(Images, Images), DataError> {
        let folder = dir.as_ref();
        if !folder.is_dir() {
            let looked_for = "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, \
                              t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz"
                .into();
            let folder = folder.to_path_buf();
            return Err(if folder.exists() {
                DataError::NotAFolder { folder, looked_for }
            } else {
                DataError::MissingFolder { folder, looked_for }
            });
        }
        // All four are found before the first is read, which takes a while.
        let [images, labels, test_images, test_labels] = [
            find(folder, "training images", "train-images", "idx3-ubyte")?,
            find(folder, "training labels", "train-labels", "idx1-ubyte")?,
            find(folder, "test images", "t10k-images", "idx3-ubyte")?,
            find(folder, "test labels", "t10k-labels", "idx1-ubyte")?,
        ];
        let train = read_labelled_images(&images, &labels)?;
        let test = read_labelled_images(&test_images, &test_labels)?;
        if train.shape() != test.shape() {
            let (train, test) = (train.shape(), test.shape());
            return Err(DataError::ShapesDiffer { folder: folder.into(), train, test });
        }
        Ok((train, test))
    }
}

/// Images and their labels from two IDX files.
///
/// # Errors
/// When one of them cannot be read (see [`read_images`]), or there are more images than labels or fewer.
pub fn read_labelled_images(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Images, DataError> {
    let (images, labels) = (images.as_ref(), labels.as_ref());
    let ([image_count, height, width], pixels) = read::<3>(Content::open(images)?, IMAGES)?;
    let label_values = read_labels(labels)?;
    if label_values.len() != image_count {
        let label_count = label_values.len();
        let (images, labels) = (images.into(), labels.into());
        return Err(DataError::CountMismatch { images, image_count, labels, label_count });
    }
    Images::new((1, height, width), scale(&pixels), Some(label_values))
}

/// Images without labels from an IDX file of bytes in 3 dimensions (image, row, column), packed with gzip or not. The
/// shape is one plane of rows x columns, and intensities are pixels / 255.
///
/// # Errors
/// When the file is not there, is no such file, is cut or damaged, holds more than its header says, or nothing.
pub fn read_images(path: impl AsRef<Path>) -> Result<Images, DataError> {
    let ([_, height, width], pixels) = read::<3>(Content::open(path.as_ref())?, IMAGES)?;
    Images::new((1, height, width), scale(&pixels), None)
}

/// Labels from an IDX file of bytes in 1 dimension, packed with gzip or not.
///
/// # Errors
/// As [`read_images`].
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<usize>, DataError> {
    let (_, labels) = read::<1>(Content::open(path.as_ref())?, LABELS)?;
    Ok(labels.into_iter().map(usize::from).collect())
}

fn scale(pixels: &[u8]) -> Vec<Real> {
    pixels.iter().map(|&pixel| Real::from(pixel) / 255.0).collect()
}

/// The first of the usual names that is there.
fn find(folder: &Path, what: &'static str, name: &str, kind: &str) -> Result<PathBuf, DataError> {
    let names = [
        format!("{name}-{kind}"),
        format!("{name}-{kind}.gz"),
        format!("{name}.{kind}"),
        format!("{name}.{kind}.gz"),
    ];
    // Some archives unpack to folders of the same names, hence not `exists`.
    match names.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => Err(DataError::MissingFile { folder: folder.into(), what, looked_for: names.join(", ") }),
    }
}

/// The sizes and the bytes of an IDX file with D dimensions.
fn read<const D: usize>(
    mut content: Content<'_>,
    expected: &'static str,
) -> Result<([usize; D], Vec<u8>), DataError> {
    let file = content.file();
    let header_length = 4 + 4 * D as u64;
    let header = content.next(header_length)?;
    if !header.starts_with(&[0, 0, 8, D as u8]) {
        return Err(DataError::WrongMagic { file: file.into(), expected, given: describe(&header) });
    }
    let given = header.len() as u64;
    if given < header_length {
        let part = "its header";
        return Err(DataError::Truncated { file: file.into(), part, expected: header_length, given });
    }
    let mut sizes = [0; D];
    for (size, bytes) in sizes.iter_mut().zip(header[4..].chunks_exact(4)) {
        *size = bytes.iter().fold(0_u64, |size, &byte| size << 8 | u64::from(byte));
    }
    let described = describe_sizes(&sizes);
    if sizes.contains(&0) {
        return Err(DataError::NothingInside { file: file.into(), sizes: described });
    }
    let length = sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size));
    let Some(length) = length.filter(|&length| length <= LIMIT) else {
        return Err(DataError::TooLarge { file: file.into(), sizes: described, limit: LIMIT });
    };
    // One more byte than expected tells whether the file goes on; at its end, gzip also checks its sum.
    let bytes = content.next(length + 1)?;
    let given = bytes.len() as u64;
    if given < length {
        let part = if D == 1 { "labels" } else { "pixels" };
        return Err(DataError::Truncated { file: file.into(), part, expected: length, given });
    }
    if given > length {
        return Err(DataError::TrailingData { file: file.into(), expected: length, sizes: described });
    }
    // No size exceeds their product, which is within LIMIT.
    Ok((sizes.map(|size| size as usize), bytes))
}

fn describe_sizes(sizes: &[u64]) -> String {
    match sizes {
        [images, height, width] => format!("{images} images of {height} x {width} pixels"),
        [labels] => format!("{labels} labels"),
        _ => format!("{sizes:?} numbers"),
    }
}

/// What a file is by its first bytes, to complete "but it ...".
fn describe(start: &[u8]) -> String {
    let known = match start {
        [] => "is empty",
        [0, 0, 8, 1, ..] => "is an IDX file of labels",
        [0, 0, 8, 3, ..] => "is an IDX file of images",
        [0, 0, 0x08..=0x0e, dimensions, ..] => {
            let numbers = if start[2] == 8 { "bytes" } else { "numbers that are not bytes" };
            return format!("is an IDX file of {numbers} in {dimensions} dimensions");
        }
        [0x1f, 0x8b, ..] => "is a gzip file inside a gzip file",
        [b'P', b'K', ..] => "is a zip archive, to be unpacked first",
        [0x93, b'N', b'U', b'M', ..] => "is a NumPy array",
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => "is a single picture",
        [b'P', b'A', b'R', b'1', ..] => "is a Parquet table",
        [b'<', ..] => "is a web page",
        _ => "",
    };
    if !known.is_empty() {
        known.into()
    } else if start.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        format!("is a text that begins with `{}`", start.escape_ascii())
    } else {
        format!("begins with the bytes {start:02x?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::fs;
    use std::io::Write;

    fn idx(sizes: &[u32], content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(content);
        bytes
    }

    fn images(bytes: &[u8]) -> Result<([usize; 3], Vec<u8>), DataError> {
        read(Content::new(bytes, Path::new("some-images"))?, IMAGES)
    }

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn images_are_read_packed_or_not() {
        let bytes = idx(&[2, 1, 3], &[0, 51, 102, 153, 204, 255]);
        let want = ([2, 1, 3], vec![0, 51, 102, 153, 204, 255]);
        assert_eq!(images(&bytes).unwrap(), want);
        assert_eq!(images(&pack(&bytes)).unwrap(), want);
        assert_eq!(scale(&[0, 51, 255]), [0.0, 0.2, 1.0]);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        let bytes = idx(&[2, 1, 3], &[1; 6]);
        for end in 0..bytes.len() {
            let error = images(&bytes[..end]).unwrap_err();
            let named = matches!(error, DataError::Truncated { .. } | DataError::WrongMagic { .. });
            assert!(named, "cut at {end}: {error}");
        }
    }

    #[test]
    fn headers_that_lie_are_errors() {
        assert!(matches!(
            images(&idx(&[1, 1, 3], &[1; 6])),
            Err(DataError::TrailingData { expected: 3, .. })
        ));
        assert!(matches!(images(&idx(&[0, 1, 3], &[])), Err(DataError::NothingInside { .. })));
        assert!(matches!(images(&idx(&[1, 0, u32::MAX], &[])), Err(DataError::NothingInside { .. })));
        assert!(matches!(images(&idx(&[u32::MAX; 3], &[1; 6])), Err(DataError::TooLarge { .. })));
        assert!(matches!(
            images(&idx(&[1 << 20, 1 << 5, 1 << 5], &[1; 6])),
            Err(DataError::Truncated { given: 6, .. })
        ));
    }

    #[test]
    fn another_kind_of_file_is_recognized() {
        let cases: [(&[u8], &str); 7] = [
            (b"", "is empty"),
            (&idx(&[2], &[1, 2]), "is an IDX file of labels"),
            (b"\0\0\x0d\x02\0\0\0\x01", "numbers that are not bytes in 2 dimensions"),
            (b"<html>", "is a web page"),
            (b"PK\x03\x04", "is a zip archive"),
            (b"5,0,12", "is a text that begins with `5,0,12`"),
            (b"\xde\xad", "begins with the bytes [de, ad]"),
        ];
        for (bytes, want) in cases {
            let error = images(bytes).unwrap_err().to_string();
            assert!(error.contains(want) && error.contains("some-images"), "{error}");
        }
        assert!(images(&pack(&pack(b"x"))).unwrap_err().to_string().contains("gzip file inside"));
    }

    #[test]
    fn a_folder_is_read_whatever_its_spelling_and_whatever_lacks_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let error = Mnist::read(path).unwrap_err().to_string();
        assert!(
            error.contains("no training images") && error.contains("train-images.idx3-ubyte.gz"),
            "{error}"
        );
        fs::write(path.join("train-images-idx3-ubyte"), idx(&[2, 1, 2], &[0, 255, 255, 0])).unwrap();
        fs::write(path.join("train-labels.idx1-ubyte"), idx(&[2], &[4, 9])).unwrap();
        fs::write(path.join("t10k-images.idx3-ubyte.gz"), pack(&idx(&[1, 1, 2], &[51, 0]))).unwrap();
        fs::write(path.join("t10k-labels-idx1-ubyte"), pack(&idx(&[1], &[7]))).unwrap();
        let (train, test) = Mnist::read(path).unwrap();
        assert_eq!((train.intensities(0), train.label(1)), (&[0.0, 1.0][..], Some(9)));
        assert_eq!((test.intensities(0), test.label(0)), (&[0.2, 0.0][..], Some(7)));

        fs::write(path.join("t10k-labels-idx1-ubyte"), idx(&[2], &[7, 7])).unwrap();
        let error = Mnist::read(path).unwrap_err();
        assert!(matches!(error, DataError::CountMismatch { image_count: 1, label_count: 2, .. }), "{error}");
        let file = path.join("t10k-labels-idx1-ubyte");
        assert!(matches!(Mnist::read(file), Err(DataError::NotAFolder { .. })));
        assert!(matches!(Mnist::read(path.join("nowhere")), Err(DataError::MissingFolder { .. })));
        assert!(matches!(read_images(path.join("nowhere")), Err(DataError::Unreadable { .. })));
    }
}
