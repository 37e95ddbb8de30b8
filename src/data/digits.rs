//! The bundled digits.

use super::unpack::Content;
use super::{DataError, Images};
use conex_systems::Real;
use std::io::Read;
use std::path::Path;

const SIDE: usize = 8;
const PIXELS: usize = SIDE * SIDE;
/// Each pixel counts the ink in a square of 4 x 4 dots.
const GREATEST_PIXEL: u8 = 16;
/// 100 times the whole data set.
const LIMIT: u64 = 64 << 20;

/// 1,797 handwritten digits of 8 x 8 pixels with their labels; they come with the program. Intensities are pixels / 16.
///
/// Source: E. Alpaydin and C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
/// doi 10.24432/C50P49; licence CC BY 4.0.
///
/// # Errors
/// Only when the program file itself is damaged.
pub fn digits() -> Result<Images, DataError> {
    let bundled = include_bytes!("../../data/digits.csv.gz");
    digits_from(&bundled[..], "data/digits.csv.gz")
}

/// Digits in the format of [`digits`] from somewhere else, such as the training part `optdigits.tra` of the same source:
/// on each line 64 pixels from 0 to 16, row by row, then the digit, with commas between them; packed with gzip or not.
/// The errors call what is read `name`.
///
/// # Errors
/// When reading fails, a line has more or fewer numbers, a number is out of range, or there is no line.
pub fn digits_from(reader: impl Read, name: impl AsRef<Path>) -> Result<Images, DataError> {
    let mut content = Content::new(reader, name.as_ref())?;
    let file = content.file();
    let text = content.next(LIMIT + 1)?;
    if text.len() as u64 > LIMIT {
        return Err(DataError::TooLarge { file: file.into(), sizes: "too long a text".into(), limit: LIMIT });
    }
    let mut intensities = Vec::new();
    let mut labels = Vec::new();
    for (line, row) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let row = row.trim_ascii();
        if row.is_empty() {
            continue;
        }
        let fields = || row.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        let (expected, given) = (PIXELS + 1, fields().count());
        if given != expected {
            return Err(DataError::ColumnCount { file: file.into(), line, expected, given });
        }
        for (column, field) in fields().enumerate() {
            let greatest = if column < PIXELS { GREATEST_PIXEL } else { 9 };
            let Some(value) = whole_number(field, greatest) else {
                let (column, given) = (column + 1, excerpt(field));
                return Err(DataError::BadNumber { file: file.into(), line, column, greatest, given });
            };
            if column < PIXELS {
                intensities.push(Real::from(value) / Real::from(GREATEST_PIXEL));
            } else {
                labels.push(usize::from(value));
            }
        }
    }
    if labels.is_empty() {
        return Err(DataError::NoRows { file: file.into() });
    }
    Images::new((1, SIDE, SIDE), intensities, Some(labels))
}

fn whole_number(field: &[u8], greatest: u8) -> Option<u8> {
    std::str::from_utf8(field).ok()?.parse().ok().filter(|&value| value <= greatest)
}

/// What fits into a message.
fn excerpt(field: &[u8]) -> String {
    let (start, more) = if field.len() > 20 { (&field[..20], "...") } else { (field, "") };
    format!("{}{more}", String::from_utf8_lossy(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use conex_systems::stimulus::Dataset;

    fn parse(text: &str) -> Result<Images, DataError> {
        digits_from(text.as_bytes(), "some.csv")
    }

    #[test]
    fn the_bundled_digits_are_whole() {
        let digits = digits().unwrap();
        assert_eq!(digits.len(), 1797);
        assert_eq!(digits.shape(), (1, 8, 8).into());
        assert_eq!(digits.classes(), 10);
        let count = |digit| digits.labels().unwrap().iter().filter(|&&label| label == digit).count();
        assert_eq!((count(0), count(8), count(9)), (178, 174, 180));
        // The first row of the file begins with 0, 0, 5, 13 and is a zero.
        assert_eq!(digits.intensities(0)[..4], [0.0, 0.0, 0.3125, 0.8125]);
        assert_eq!(digits.label(0), Some(0));
        assert!((0..1797).all(|i| digits.intensities(i).iter().all(|x| (0.0..=1.0).contains(x))));
    }

    #[test]
    fn rubbish_is_named_by_line_and_column() {
        let row = format!("{}3\n", "16,".repeat(64));
        assert_eq!(parse(&row).unwrap().label(0), Some(3));
        assert_eq!(parse(&row.replace('\n', "\r\n").repeat(3)).unwrap().len(), 3);
        for (bad, line, column, given) in [
            (row.replacen("16", "17", 1), 1, 1, "17"),
            (row.replacen("16", "-1", 1), 1, 1, "-1"),
            (row.replacen("16", "", 1), 1, 1, ""),
            (row.replacen("16", "\"", 1), 1, 1, "\""),
            (row.replacen(",3", ",10", 1), 1, 65, "10"),
            (row.clone() + &row.replacen(",3", ",x", 1), 2, 65, "x"),
        ] {
            match parse(&bad) {
                Err(DataError::BadNumber { line: l, column: c, given: g, .. }) => {
                    assert_eq!((l, c, g.as_str()), (line, column, given));
                }
                other => panic!("{bad}: {other:?}"),
            }
        }
        assert!(matches!(parse("1,2,3"), Err(DataError::ColumnCount { line: 1, given: 3, .. })));
        assert!(matches!(parse(&(row + "\n0")), Err(DataError::ColumnCount { line: 3, given: 1, .. })));
        assert!(matches!(parse("\n\n"), Err(DataError::NoRows { .. })));
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error_and_no_panic() {
        let noise: Vec<u8> = (0..10_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let error = digits_from(&noise[..], "noise").unwrap_err();
        assert!(error.to_string().contains("`noise`, line 1"), "{error}");
    }
}
