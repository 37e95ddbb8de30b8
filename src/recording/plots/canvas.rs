//! Paper: rectangles, lines, text and images in pixels, and the file they end in.

use std::fmt::{Display, Write};
use std::fs;
use std::path::Path;

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::colours::{Colour, ColourMap, INK, WHITE};
use super::png;
use crate::recording::export::RecordingError;

/// The back end counts in whole units: this many make a pixel, so that curves are smooth.
const UNITS: f64 = 4.0;

/// A rectangle on the paper, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn centre(&self) -> (f64, f64) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }
}

/// How text looks, and which point at half its height is given: its left end, its middle or its right end.
#[derive(Clone, Copy)]
pub(super) struct Font {
    pub size: f64,
    pub colour: Colour,
    pub bold: bool,
    pub across: HPos,
    /// Reads from bottom to top.
    pub turned: bool,
}

impl Font {
    /// Dark text that starts at the point given.
    pub(super) fn left(size: f64) -> Self {
        Self { size, colour: INK, bold: false, across: HPos::Left, turned: false }
    }

    /// Dark text that ends there.
    pub(super) fn right(size: f64) -> Self {
        Self { across: HPos::Right, ..Self::left(size) }
    }

    /// Dark text around it.
    pub(super) fn centred(size: f64) -> Self {
        Self { across: HPos::Center, ..Self::left(size) }
    }
}

/// The width of `text` in pixels, on the safe side for the usual sans-serif fonts.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | 't' | 'f' | ' ' | '.' | ',' | ':' | '(' | ')' | '/' => 0.38,
            'm' | 'w' | 'M' | 'W' | '%' => 0.95,
            // Scripts whose characters are as wide as they are high.
            '\u{1100}'.. if character > '\u{2E7F}' => 1.05,
            _ => 0.63,
        })
        .sum();
    ems * size
}

/// `text`, cut with an ellipsis if it is wider than `width` pixels.
pub(super) fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        short.push(character);
        if text_width(&short, size) + size > width {
            short.pop();
            break;
        }
    }
    short + "…"
}

pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
    images: String,
    /// The first thing that went wrong; drawing goes on, and `draw` tells.
    fault: Option<String>,
}

/// Writes what `paint` draws on white paper of `width` × `height` pixels to `path`.
pub(super) fn draw(
    path: &Path,
    width: f64,
    height: f64,
    paint: impl FnOnce(&mut Canvas),
) -> Result<(), RecordingError> {
    let size = (units(width).unsigned_abs(), units(height).unsigned_abs());
    let mut svg = String::new();
    let (images, fault) = {
        let backend = SVGBackend::with_string(&mut svg, size);
        let mut canvas = Canvas { backend, images: String::new(), fault: None };
        canvas.rectangle(Area { left: 0.0, top: 0.0, right: width, bottom: height }, WHITE);
        paint(&mut canvas);
        let presented = canvas.backend.present();
        canvas.note_fault(presented);
        (canvas.images, canvas.fault)
    };
    if let Some(message) = fault {
        return Err(RecordingError::Drawing { path: path.to_owned(), message });
    }
    // The view box stays in units, the picture is shown in pixels.
    let in_units = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
    svg = svg.replacen(&in_units, &format!("width=\"{width:.0}\" height=\"{height:.0}\""), 1);
    // Images lie on the paper, which is the first thing drawn, and under all else.
    if let Some(paper) = svg.find("/>") {
        svg.insert_str(paper + 2, &images);
    }
    fs::write(path, svg).map_err(|source| RecordingError::io(path, source))
}

impl Canvas<'_> {
    pub(super) fn rectangle(&mut self, area: Area, colour: Colour) {
        let drawn = self.backend.draw_rect(
            point((area.left, area.top)),
            point((area.right, area.bottom)),
            &fill(colour),
            true,
        );
        self.note_fault(drawn);
    }

    pub(super) fn dot(&mut self, centre: (f64, f64), radius: f64, colour: Colour) {
        let drawn =
            self.backend.draw_circle(point(centre), units(radius).unsigned_abs(), &fill(colour), true);
        self.note_fault(drawn);
    }

    pub(super) fn line(&mut self, points: &[(f64, f64)], width: f64, colour: Colour) {
        let drawn = self.backend.draw_path(points.iter().copied().map(point), &pen(colour, width));
        self.note_fault(drawn);
    }

    /// A dashed line from left to right at height `y`.
    pub(super) fn dashes(&mut self, left: f64, right: f64, y: f64, colour: Colour) {
        const DASH: f64 = 6.0;
        const GAP: f64 = 4.0;
        let mut start = left;
        while start < right {
            self.line(&[(start, y), ((start + DASH).min(right), y)], 1.0, colour);
            start += DASH + GAP;
        }
    }

    pub(super) fn text(&mut self, at: (f64, f64), text: &str, font: Font) {
        let printable: String = text.chars().filter(|character| !character.is_control()).collect();
        if printable.is_empty() {
            return;
        }
        let style = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let transform = if font.turned { FontTransform::Rotate270 } else { FontTransform::None };
        // The back end divides sizes by 1.24, taking them for line heights.
        let described =
            ("sans-serif", font.size * UNITS * 1.24).into_font().style(style).transform(transform);
        let colour = rgb(font.colour);
        let style = TextStyle::from(described).color(&colour).pos(Pos::new(font.across, VPos::Center));
        let drawn = self.backend.draw_text(&printable, &style, point(at));
        self.note_fault(drawn);
    }

    /// An image of `rows` × `columns` cells with sharp edges. `value` gives row and column a position in `map`, or
    /// nothing for white.
    pub(super) fn image(
        &mut self,
        area: Area,
        (rows, columns): (usize, usize),
        map: ColourMap,
        value: impl Fn(usize, usize) -> Option<f64>,
    ) {
        // Twice as fine as a screen shows it: what viewers smooth at the edges is not seen then.
        let per_cell =
            |pixels: f64, cells: usize| ((2.0 * pixels / cells.max(1) as f64).ceil() as usize).clamp(1, 64);
        let (tall, wide) = (per_cell(area.height(), rows), per_cell(area.width(), columns));
        let palette: Vec<_> = (0..255).map(|k| map.at(f64::from(k) / 254.0)).chain([WHITE]).collect();
        let mut pixels = Vec::with_capacity(rows * columns * tall * wide);
        for row in 0..rows {
            let line: Vec<u8> = (0..columns)
                .flat_map(|column| {
                    let position = value(row, column).filter(|position| position.is_finite());
                    let index =
                        position.map_or(255, |position| (position.clamp(0.0, 1.0) * 254.0).round() as u8);
                    std::iter::repeat_n(index, wide)
                })
                .collect();
            (0..tall).for_each(|_| pixels.extend(&line));
        }
        match png::encode((columns * wide) as u32, (rows * tall) as u32, &palette, &pixels) {
            Ok(png) => {
                let ((x, y), (right, bottom)) =
                    (point((area.left, area.top)), point((area.right, area.bottom)));
                let _ = write!(
                    self.images,
                    "\n<image x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>",
                    right - x,
                    bottom - y,
                    png::base64(&png)
                );
            }
            Err(error) => self.note_fault(Err(error)),
        }
    }

    fn note_fault(&mut self, drawn: Result<(), impl Display>) {
        if let (Err(error), None) = (drawn, &self.fault) {
            self.fault = Some(error.to_string());
        }
    }
}

fn fill(colour: Colour) -> ShapeStyle {
    rgb(colour).filled()
}

fn pen(colour: Colour, width: f64) -> ShapeStyle {
    rgb(colour).stroke_width(units(width).unsigned_abs())
}

fn rgb(colour: Colour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

/// Saturates, and takes NaN for 0.
fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawn;
    use super::*;

    #[test]
    fn text_cannot_break_out_of_the_picture() {
        let svg = drawn("escape", |path| {
            draw(path, 100.0, 50.0, |canvas| canvas.text((5.0, 9.0), "</svg><a&b>\u{7}", Font::left(10.0)))
        });
        assert_eq!(svg.matches("</svg>").count(), 1);
        assert!(svg.contains("&lt;/svg&gt;&lt;a&amp;b&gt;\n"), "{svg}");
    }

    #[test]
    fn the_picture_is_shown_at_the_size_that_was_asked_for() {
        let svg = drawn("size", |path| draw(path, 100.0, 50.0, |_| {}));
        assert!(svg.starts_with("<svg width=\"100\" height=\"50\" viewBox=\"0 0 400 200\""), "{svg}");
    }

    #[test]
    fn long_text_is_cut_to_fit() {
        assert_eq!(fitted("short", 12.0, 100.0), "short");
        let cut = fitted(&"long ".repeat(40), 12.0, 100.0);
        assert!(cut.ends_with('…') && text_width(&cut, 12.0) <= 100.0, "{cut}");
        assert_eq!(fitted("x", 12.0, 0.0), "…");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let drawn = draw(&folder.path().join("nowhere").join("a.svg"), 9.0, 9.0, |_| {});
        assert!(matches!(drawn, Err(RecordingError::Io { .. })));
    }
}
