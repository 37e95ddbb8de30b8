//! Ranges, ticks, and the frame that most plots share.

use std::path::Path;

use super::canvas::{Area, Canvas, Font, draw, fitted, text_width};
use super::colours::{AXIS, Colour, GREY, GRID, INK};
use crate::recording::export::RecordingError;

pub(super) const WIDTH: f64 = 960.0;
/// Sizes of titles, of labels and axis titles, and of small print.
pub(super) const TITLE: f64 = 17.0;
pub(super) const LABEL: f64 = 13.0;
pub(super) const SMALL: f64 = 12.0;

/// Beyond this nothing is drawn: such numbers come from a simulation that diverged, and would hide all others.
const LARGEST: f64 = 1e100;

/// A range of numbers with some distance between its ends, both finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    /// No ticks between the whole numbers: half an epoch, or half a synapse, is none.
    whole: bool,
}

/// A labelled place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub at: f64,
    pub label: String,
}

impl Axis {
    /// From `low` to `high`, widened if that is hardly a distance, 0 to 1 if it is none at all.
    pub(super) fn new(low: f64, high: f64) -> Self {
        if !(low <= high && low >= -LARGEST && high <= LARGEST) {
            return Self { low: 0.0, high: 1.0, whole: false };
        }
        let size = low.abs().max(high.abs());
        if high - low > 1e-9 * size {
            return Self { low, high, whole: false };
        }
        let margin = if size > 0.0 { size / 2.0 } else { 1.0 };
        Self { low: low - margin, high: high + margin, whole: false }
    }

    /// Just around the finite ones of `values`.
    pub(super) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|value| value.abs() <= LARGEST)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        Self::new(low, high)
    }

    /// Longer by a twentieth at each end.
    pub(super) fn padded(self) -> Self {
        let margin = (self.high - self.low) / 20.0;
        Self { whole: self.whole, ..Self::new(self.low - margin, self.high + margin) }
    }

    /// With ticks at whole numbers only, if `whole` and if it reaches from one to another.
    pub(super) fn whole(self, whole: bool) -> Self {
        Self { whole: whole && self.high - self.low >= 1.0, ..self }
    }

    pub(super) fn low(&self) -> f64 {
        self.low
    }

    pub(super) fn high(&self) -> f64 {
        self.high
    }

    pub(super) fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Where `value` is between the ends, 0 to 1.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Round numbers that cut the range into at most about `most` parts, 1, 2 or 5 times a power of ten apart.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let rough = (self.high - self.low) / most.max(2) as f64;
        let rough = if self.whole { rough.max(1.0) } else { rough };
        let decade = 10f64.powi(rough.log10().floor() as i32);
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * decade)
            .into_iter()
            .find(|step| *step >= 0.999_999 * rough);
        let step = step.unwrap_or(10.0 * decade);
        let slack = 1e-6 * step;
        let first = ((self.low - slack) / step).ceil();
        (0..=most)
            .map(|k| (first + k as f64) * step)
            .take_while(|at| *at <= self.high + slack)
            .map(|at| Tick { at, label: self.label(at, step) })
            .collect()
    }

    fn label(&self, at: f64, step: f64) -> String {
        let at = if at.abs() < step / 2.0 { 0.0 } else { at };
        let largest = self.low.abs().max(self.high.abs());
        let step_decade = (step * 1.000_001).log10().floor() as i32;
        let text = if at == 0.0 {
            "0".to_owned()
        } else if (1e-3..1e7).contains(&largest) && step_decade >= -6 {
            grouped(at, step_decade.min(0).unsigned_abs() as usize)
        } else {
            let decade = at.abs().log10().floor() as i32;
            format!("{at:.*e}", (decade - step_decade).clamp(0, 9) as usize)
        };
        text.replace('-', "−")
    }
}

/// `value` with `decimals`, and with commas between thousands from 10,000 on.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let digits = text.find('.').unwrap_or(text.len());
    if value.abs() < 1e4 {
        return text;
    }
    let mut grouped = String::new();
    for (k, character) in text.char_indices() {
        if k > 0 && k < digits && (digits - k).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(character);
    }
    grouped
}

/// A whole number for a sentence: `12,345`.
pub(super) fn count(number: usize) -> String {
    grouped(number as f64, 0)
}

/// A number without its decimals: `−12,345`.
pub(super) fn round(value: f64) -> String {
    grouped(value, 0).replace('-', "−")
}

/// A measured number for a sentence, with three significant digits, or fewer if the rest are zeros.
pub(super) fn measured(value: f64) -> String {
    let text = if value == 0.0 || !value.is_finite() {
        format!("{value}")
    } else {
        match value.abs().log10().floor() as i32 {
            decade @ -3..=5 => {
                let digits = grouped(value, (2 - decade).max(0) as usize);
                if digits.contains('.') {
                    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
                } else {
                    digits
                }
            }
            _ => format!("{value:.2e}"),
        }
    };
    text.replace('-', "−")
}

/// Title and subtitle over a plot that starts at `left`, on paper that ends at `right`.
pub(super) fn heading(canvas: &mut Canvas, (left, right): (f64, f64), title: &str, subtitle: &str) {
    let room = right - left - 16.0;
    canvas.text((left, 24.0), &fitted(title, TITLE, room), Font { bold: true, ..Font::left(TITLE) });
    canvas.text((left, 46.0), &fitted(subtitle, LABEL, room), Font { colour: GREY, ..Font::left(LABEL) });
}

/// Where the plot starts below such a heading.
pub(super) fn below_heading(subtitle: &str) -> f64 {
    if subtitle.is_empty() { 50.0 } else { 66.0 }
}

/// A rectangle whose sides are axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    pub area: Area,
    pub x: Axis,
    pub y: Axis,
}

impl Panel {
    pub(super) fn across(&self, x: f64) -> f64 {
        self.area.left + self.area.width() * self.x.fraction(x)
    }

    pub(super) fn up(&self, y: f64) -> f64 {
        self.area.bottom - self.area.height() * self.y.fraction(y)
    }

    /// How many ticks read well along the bottom and along the left side.
    pub(super) fn x_ticks(&self) -> Vec<Tick> {
        self.x.ticks((self.area.width() / 90.0) as usize)
    }

    pub(super) fn y_ticks(&self) -> Vec<Tick> {
        self.y.ticks(((self.area.height() / 45.0) as usize).max(2))
    }

    /// Grid lines and tick labels along the bottom; `named` also writes the labels.
    pub(super) fn x_grid(&self, canvas: &mut Canvas, named: bool) {
        for tick in self.x_ticks() {
            let x = self.across(tick.at);
            canvas.line(&[(x, self.area.top), (x, self.area.bottom)], 1.0, GRID);
            if named {
                canvas.text((x, self.area.bottom + 16.0), &tick.label, Font::centred(SMALL));
            }
        }
    }

    /// Grid lines and labels along the left side.
    pub(super) fn y_grid(&self, canvas: &mut Canvas) {
        for tick in self.y_ticks() {
            let y = self.up(tick.at);
            canvas.line(&[(self.area.left, y), (self.area.right, y)], 1.0, GRID);
            canvas.text((self.area.left - 8.0, y), &tick.label, Font::right(SMALL));
        }
    }

    /// The lines of the two axes.
    pub(super) fn frame(&self, canvas: &mut Canvas) {
        let Area { left, top, right, bottom } = self.area;
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], 1.0, AXIS);
    }

    pub(super) fn x_title(&self, canvas: &mut Canvas, title: &str) {
        canvas.text((self.area.centre().0, self.area.bottom + 40.0), title, Font::centred(LABEL));
    }

    /// A sentence in the middle of a panel that has nothing else to show.
    pub(super) fn note(&self, canvas: &mut Canvas, note: &str) {
        canvas.text(self.area.centre(), note, Font { colour: GREY, ..Font::centred(LABEL + 2.0) });
    }

    /// A curve through `points`, broken where a point cannot be drawn; lone points become dots.
    pub(super) fn curve(
        &self,
        canvas: &mut Canvas,
        points: impl Iterator<Item = (f64, f64)>,
        colour: Colour,
    ) {
        let mut piece = Vec::new();
        let points = points.map(Some).chain([None]);
        for point in points {
            match point.filter(|(x, y)| self.x.contains(*x) && y.abs() <= LARGEST) {
                Some((x, y)) => {
                    // Steep parts may leave the panel; they end at its border.
                    piece.push((self.across(x), self.up(y).clamp(self.area.top, self.area.bottom)));
                }
                None => {
                    match piece[..] {
                        [] => {}
                        [alone] => canvas.dot(alone, 1.5, colour),
                        _ => canvas.line(&thinned(&piece), 1.5, colour),
                    }
                    piece.clear();
                }
            }
        }
    }
}

/// `points` without those that no one can see: of all that fall on the same half pixel across, the first, the lowest,
/// the highest and the last.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| (2.0 * a.0).floor() == (2.0 * b.0).floor()) {
        if column.len() <= 4 {
            kept.extend(column);
            continue;
        }
        let by_height = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
        let lowest = (0..column.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..column.len()).max_by(by_height).unwrap_or(0);
        let mut visible = [0, lowest, highest, column.len() - 1];
        visible.sort_unstable();
        kept.extend(visible.map(|k| column[k]));
    }
    kept
}

/// Everything about a single-panel plot but what is in it.
pub(super) struct Chart<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    pub x_title: &'a str,
    pub y_title: &'a str,
    pub x: Axis,
    pub y: Axis,
    /// Names and colours on the right; a single one needs no legend.
    pub legend: Vec<(&'a str, Colour)>,
    /// Said in the middle if there is nothing to see.
    pub note: Option<&'a str>,
}

impl Chart<'_> {
    /// Draws the frame, lets `paint` fill it, and writes the picture.
    pub(super) fn draw(
        &self,
        path: &Path,
        paint: impl FnOnce(&mut Canvas, &Panel),
    ) -> Result<(), RecordingError> {
        const HEIGHT: f64 = 480.0;
        draw(path, WIDTH, HEIGHT, |canvas| {
            let legend_width = self.legend_width();
            let mut panel = Panel {
                area: Area {
                    left: 0.0,
                    top: below_heading(self.subtitle),
                    right: WIDTH - 28.0 - legend_width,
                    bottom: HEIGHT - 60.0,
                },
                x: self.x,
                y: self.y,
            };
            let widest =
                panel.y_ticks().iter().map(|tick| text_width(&tick.label, SMALL)).fold(0.0, f64::max);
            panel.area.left = widest + 48.0;
            heading(canvas, (panel.area.left, WIDTH), self.title, self.subtitle);
            panel.x_grid(canvas, true);
            panel.y_grid(canvas);
            panel.x_title(canvas, self.x_title);
            let middle = panel.area.centre().1;
            canvas.text((20.0, middle), self.y_title, Font { turned: true, ..Font::centred(LABEL) });
            paint(canvas, &panel);
            panel.frame(canvas);
            if let Some(note) = self.note {
                panel.note(canvas, note);
            }
            if legend_width > 0.0 {
                self.draw_legend(canvas, &panel);
            }
        })
    }

    fn legend_width(&self) -> f64 {
        if self.legend.len() < 2 {
            return 0.0;
        }
        let widest = self.legend.iter().map(|entry| text_width(entry.0, SMALL)).fold(0.0, f64::max);
        widest.clamp(40.0, 220.0) + 38.0
    }

    fn draw_legend(&self, canvas: &mut Canvas, panel: &Panel) {
        const LINE: f64 = 20.0;
        let left = panel.area.right + 16.0;
        let room = (panel.area.height() / LINE) as usize;
        let shown = if self.legend.len() > room { room.saturating_sub(1) } else { self.legend.len() };
        for (k, (name, colour)) in self.legend.iter().take(shown).enumerate() {
            let y = panel.area.top + LINE * (k as f64 + 0.5);
            canvas.rectangle(Area { left, top: y - 1.5, right: left + 16.0, bottom: y + 1.5 }, *colour);
            canvas.text((left + 22.0, y), &fitted(name, SMALL, 220.0), Font::left(SMALL));
        }
        if shown < self.legend.len() {
            let y = panel.area.top + LINE * (shown as f64 + 0.5);
            let more = format!("and {} more", self.legend.len() - shown);
            canvas.text((left, y), &more, Font { colour: GREY, ..Font::left(SMALL) });
        }
    }
}

/// The colour bar of an image whose values go from the low to the high end of `range`.
pub(super) fn colour_bar(
    canvas: &mut Canvas,
    area: Area,
    range: Axis,
    map: super::colours::ColourMap,
    title: &str,
) {
    const STEPS: usize = 128;
    canvas.image(area, (STEPS, 1), map, |row, _| Some(1.0 - (row as f64 + 0.5) / STEPS as f64));
    let scale = Panel { area, x: Axis::new(0.0, 1.0), y: range };
    let mut label = |at: f64, text: &str| {
        let y = scale.up(at);
        canvas.line(&[(area.right, y), (area.right + 4.0, y)], 1.0, INK);
        canvas.text((area.right + 8.0, y), text, Font::left(SMALL));
    };
    label(range.low(), &measured(range.low()));
    label(range.high(), &measured(range.high()));
    let apart = 20.0 / area.height();
    for tick in scale.y_ticks() {
        if (apart..=1.0 - apart).contains(&range.fraction(tick.at)) {
            label(tick.at, &tick.label);
        }
    }
    canvas.text((area.left, area.top - 16.0), title, Font::left(SMALL));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, most: usize) -> Vec<String> {
        Axis::new(low, high).ticks(most).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(0.0, 100.0, 5), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(
            labels(-0.31, 0.3, 6),
            ["−0.2", "0.0", "0.2"].map(|label| if label == "0.0" { "0" } else { label })
        );
        assert_eq!(labels(0.0, 20_000.0, 4), ["0", "5000", "10,000", "15,000", "20,000"]);
        assert_eq!(labels(-70.0, -50.0, 4), ["−70", "−65", "−60", "−55", "−50"]);
        assert_eq!(labels(0.0, 2.5e-5, 5), ["0", "5e−6", "1.0e−5", "1.5e−5", "2.0e−5", "2.5e−5"]);
        assert_eq!(labels(0.0, 4e9, 2), ["0", "2e9", "4e9"]);
    }

    #[test]
    fn whole_numbers_have_no_ticks_between_them() {
        let ticks = |low, high| Axis::new(low, high).whole(true).ticks(9).len();
        assert_eq!(ticks(1.0, 3.0), 3);
        assert_eq!(ticks(0.8, 3.2), 3);
        assert!(ticks(0.2, 0.8) > 2);
    }

    #[test]
    fn any_two_numbers_make_a_range_with_ticks() {
        let numbers =
            [0.0, -0.0, 1.0, -1e-300, 1e-300, 1e99, -1e99, f64::MAX, f64::NAN, f64::INFINITY, 1.0 + 1e-16];
        for low in numbers {
            for high in numbers {
                let axis = Axis::new(low, high);
                assert!(axis.low < axis.high, "{low} {high}");
                let ticks = axis.ticks(8);
                assert!((1..=9).contains(&ticks.len()), "{low} {high}: {ticks:?}");
                assert!(ticks.iter().all(|tick| tick.at.is_finite()), "{low} {high}: {ticks:?}");
            }
        }
    }

    #[test]
    fn numbers_in_sentences_are_short() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(measured(-0.012_345), "−0.0123");
        assert_eq!(measured(123_456.0), "123,456");
        assert_eq!(measured(3.0), "3");
        assert_eq!(measured(0.047), "0.047");
        assert_eq!(measured(100.0), "100");
        assert_eq!(measured(1e-9), "1.00e−9");
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let points: Vec<_> =
            (0..10_000).map(|k| (f64::from(k) * 1e-5, f64::from(k * 7919 % 10_000))).collect();
        let kept = thinned(&points);
        assert_eq!(kept.len(), 4);
        assert!(kept.iter().any(|point| point.1 == 0.0) && kept.iter().any(|point| point.1 == 9999.0));
    }
}
