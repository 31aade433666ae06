//! Shapes and text on a picture, by plotters.

use std::io;

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::columns::cut_end;
use crate::markup::{escaped, legal};

/// The width of every chart.
pub(crate) const WIDTH: i32 = 920;
/// The size of text.
pub(crate) const SIZE: f64 = 13.0;
/// Text.
pub(crate) const TEXT: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
/// Text of less importance.
pub(crate) const FAINT: RGBColor = RGBColor(0x5f, 0x5f, 0x5f);
/// Lines behind a chart, and cells that hold nothing.
pub(crate) const GRID: RGBColor = RGBColor(0xd8, 0xd8, 0xd8);
/// The background.
pub(crate) const BACK: RGBColor = RGBColor(0xff, 0xff, 0xff);
/// What is less than nothing; its sign says so, too.
pub(crate) const LESS: RGBColor = PALETTE[5];

/// What people with any colour vision tell apart (Okabe and Ito, 2008), without black and yellow, which one of the two
/// backgrounds would swallow; the last is for all that is left over.
pub(crate) const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x8a, 0x8a, 0x8a),
];

/// The style sheet of charts: other colours in the dark, but not on paper.
pub(crate) const STYLE: &str = "
svg.ytrace text { font-variant-numeric: tabular-nums; }
@media screen and (prefers-color-scheme: dark) {
svg.ytrace [fill=\"#1A1A1A\"] { fill: #ececec; }
svg.ytrace [stroke=\"#1A1A1A\"] { stroke: #ececec; }
svg.ytrace [fill=\"#5F5F5F\"] { fill: #b4b4b4; }
svg.ytrace [stroke=\"#5F5F5F\"] { stroke: #b4b4b4; }
svg.ytrace [fill=\"#D8D8D8\"] { fill: #3c3c3c; }
svg.ytrace [stroke=\"#D8D8D8\"] { stroke: #3c3c3c; }
svg.ytrace [fill=\"#FFFFFF\"] { fill: #161616; }
svg.ytrace [stroke=\"#FFFFFF\"] { stroke: #161616; }
svg.ytrace [stroke=\"#0072B2\"] { stroke: #4aa3df; }
}
";

/// The colour of the thing at a place in an order.
pub(crate) fn color(index: usize) -> RGBColor {
    let last = PALETTE.len() - 1;
    PALETTE.get(index.min(last)).copied().unwrap_or(FAINT)
}

/// The letter of the thing at a place in an order: `A` to `Z`, then `*`.
pub(crate) fn letter(index: usize) -> char {
    u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map_or('*', |index| char::from(b'A' + index))
}

/// A colour that text on another one is legible in, whatever the scheme.
fn ink(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    let light = u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114;
    match light > 110_000 {
        true => RGBColor(0x01, 0x01, 0x01),
        false => RGBColor(0xff, 0xff, 0xfe),
    }
}

/// A colour as the style sheet knows it.
pub(crate) fn hexadecimal(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Where text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A picture that is being drawn.
pub(crate) struct Canvas<'a> {
    pub(crate) area: Area<'a>,
}

/// What plotters reports.
type Drawn<T> = Result<T, DrawingAreaErrorKind<io::Error>>;

/// Its error as one of input and output, which writing into memory does not have.
pub(crate) fn drawn<T>(result: Drawn<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::other(error.to_string()))
}

/// Draws a picture of the common width; gives an `svg` element.
pub(crate) fn paint(
    label: &str,
    height: i32,
    draw: impl FnOnce(&Canvas<'_>) -> io::Result<()>,
) -> io::Result<String> {
    let height = height.max(1);
    let mut text = String::new();
    {
        let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
        let canvas = Canvas {
            area: SVGBackend::with_string(&mut text, size).into_drawing_area(),
        };
        draw(&canvas)?;
        drawn(canvas.area.present())?;
    }
    // The element is plotters' own, with attributes of ours.
    let Some(inner) = text.strip_prefix("<svg ") else {
        return Err(io::Error::other("the drawing has no beginning"));
    };
    Ok(format!(
        "<svg class=\"ytrace\" role=\"img\" aria-label=\"{}\" {inner}",
        escaped(label)
    ))
}

/// The height of an element that [`paint`] made.
pub(crate) fn height_of(element: &str) -> i32 {
    let attribute = element.split_once(" height=\"").map(|(_, rest)| rest);
    attribute
        .and_then(|rest| rest.split_once('"'))
        .and_then(|(height, _)| height.parse().ok())
        .unwrap_or(0)
}

impl Canvas<'_> {
    /// A filled rectangle.
    pub(crate) fn fill(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> io::Result<()> {
        drawn(self.area.draw(&Rectangle::new([from, to], color.filled())))
    }

    /// A line through points.
    pub(crate) fn path(
        &self,
        points: Vec<(i32, i32)>,
        color: RGBColor,
        width: u32,
    ) -> io::Result<()> {
        let style = color.stroke_width(width);
        drawn(self.area.draw(&PathElement::new(points, style)))
    }

    /// Text whose middle has the height of the point.
    pub(crate) fn text(
        &self,
        text: &str,
        at: (i32, i32),
        color: RGBColor,
        anchor: Anchor,
    ) -> io::Result<()> {
        self.write(text, at, color, anchor, ("sans-serif", SIZE))
    }

    /// Text all of whose characters are equally wide.
    pub(crate) fn fixed(
        &self,
        text: &str,
        at: (i32, i32),
        color: RGBColor,
        anchor: Anchor,
    ) -> io::Result<()> {
        // Blanks that meet would be drawn as one.
        let text = text.replace(' ', "\u{a0}");
        self.write(&text, at, color, anchor, ("monospace", SIZE - 1.0))
    }

    /// A letter on something of a colour.
    pub(crate) fn mark(
        &self,
        letter: char,
        at: (i32, i32),
        on: RGBColor,
        size: f64,
    ) -> io::Result<()> {
        let text = letter.to_string();
        self.write(&text, at, ink(on), Anchor::Middle, ("sans-serif", size))
    }

    fn write(
        &self,
        text: &str,
        at: (i32, i32),
        color: RGBColor,
        anchor: Anchor,
        (family, size): (&str, f64),
    ) -> io::Result<()> {
        let position = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = TextStyle::from(font(family, size))
            .color(&color)
            .pos(Pos::new(position, VPos::Center));
        drawn(self.area.draw_text(&legal(text), &style, at))
    }
}

/// A font of a size in the picture's units; plotters counts in larger ones.
pub(crate) fn font(family: &str, size: f64) -> FontDesc<'_> {
    (family, size * 1.24).into_font()
}

/// Text cut to about so many units of the picture.
pub(crate) fn fitted(text: &str, room: i32) -> String {
    let columns = f64::from(room.max(0)) / (SIZE * 0.6);
    cut_end(text, columns as usize)
}

/// About how wide text is.
pub(crate) fn text_width(text: &str) -> i32 {
    (crate::columns::width(text) as f64 * SIZE * 0.56).ceil() as i32
}
