//! Small pictures inside an SVG: a weight image of 28 × 28 as 784 rectangles would make the file huge.

use std::io::{self, Write};

use flate2::{Compression, Crc, write::ZlibEncoder};

use super::colours::Colour;

/// A PNG of `width` × `height` pixels, each an index into `palette` (at most 256 colours).
pub(super) fn encode(width: u32, height: u32, palette: &[Colour], pixels: &[u8]) -> io::Result<Vec<u8>> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    // 8 bits, palette, deflate, default filters, not interlaced.
    head.extend([8, 3, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &head);
    chunk(
        &mut png,
        *b"PLTE",
        &palette.iter().flat_map(|colour| [colour.0, colour.1, colour.2]).collect::<Vec<_>>(),
    );
    let mut data = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks(width.max(1) as usize) {
        data.write_all(&[0])?;
        data.write_all(row)?;
    }
    chunk(&mut png, *b"IDAT", &data.finish()?);
    chunk(&mut png, *b"IEND", &[]);
    Ok(png)
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut checksum = Crc::new();
    checksum.update(&kind);
    checksum.update(data);
    png.extend((data.len() as u32).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    png.extend(checksum.sum().to_be_bytes());
}

/// `bytes` in the alphabet of data URLs (RFC 4648).
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, k| bits << 8 | u32::from(*group.get(k).unwrap_or(&0)));
        for digit in 0..4 {
            let character =
                if digit <= group.len() { DIGITS[(bits >> (18 - 6 * digit) & 63) as usize] } else { b'=' };
            text.push(char::from(character));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_vectors_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn the_end_chunk_has_its_well_known_checksum() {
        let png = encode(2, 1, &[Colour(0, 0, 0), Colour(255, 255, 255)], &[0, 1]).unwrap();
        assert!(png.ends_with(b"\0\0\0\0IEND\xAE\x42\x60\x82"));
    }
}
