//! A machine's table drawn: its phases beneath one another, an arrow for each way between two of them, as SVG within a page.
//!
//! Arrows down are on the right, arrows up on the left. Each has a place of its own at both boxes and a lane of its own between
//! them, and says its causes where it begins, so that nothing has to be placed by hand and no word lies on another.

use std::cmp::{Ordering, Reverse};
use std::fmt::{Debug, Write};

use crate::page::escape;

/// Pixels from one arrow to the next.
const STEP: usize = 24;
/// Pixels of a letter, at least: of the font at its size in `style.css`.
const LETTER: usize = 8;
/// Pixels between two boxes.
const GAP: usize = 18;
/// Pixels of an arrow's head, and between words and what is beside them.
const ROOM: usize = 12;

/// One way from a phase to another: indices, and what is said of it.
struct Way {
    from: usize,
    to: usize,
    words: String,
}

/// Where an arrow is drawn.
#[derive(Default)]
struct Place {
    begins: usize,
    ends: usize,
    lane: usize,
}

/// The drawing of a table, without what `stop` causes, with this name for those who do not see it.
pub(crate) fn drawing<P, C>(rows: &[(P, C, P)], stop: &C, name: &str, words: impl Fn(&dyn Debug) -> String) -> String
where
    P: Debug + PartialEq,
    C: Debug + PartialEq,
{
    let rows: Vec<_> = rows.iter().filter(|(_, cause, _)| cause != stop).collect();
    let mut phases: Vec<&P> = Vec::new();
    // In the order in which the table has them as beginnings.
    for phase in rows.iter().map(|(from, ..)| from).chain(rows.iter().map(|(.., to)| to)) {
        if !phases.contains(&phase) {
            phases.push(phase);
        }
    }
    let index = |phase: &P| phases.iter().position(|other| *other == phase).unwrap_or_default();
    let mut ways: Vec<Way> = Vec::new();
    for (from, cause, to) in rows {
        let (from, to) = (index(from), index(to));
        match ways.iter_mut().find(|way| (way.from, way.to) == (from, to)) {
            Some(way) => way.words += &format!(", {}", words(cause)),
            None => ways.push(Way { from, to, words: words(cause) }),
        }
    }
    let names: Vec<String> = phases.into_iter().map(|phase| words(phase)).collect();
    svg(&names, &ways, name)
}

fn is_up(way: &Way) -> bool {
    way.to < way.from
}

/// The ends of arrows on one side of a phase from top to bottom: the way, and whether it begins here. What comes from above or
/// goes there is above what is about the phase itself and what is beneath, and in both the far ones are where they cross none of
/// the near ones.
fn ends(ways: &[Way], phase: usize, up: bool) -> Vec<(usize, bool)> {
    let mut ends: Vec<((u8, Reverse<usize>), usize, bool)> = Vec::new();
    for (number, way) in ways.iter().enumerate().filter(|(_, way)| is_up(way) == up) {
        let place = |other: usize, begins: bool| match other.cmp(&phase) {
            Ordering::Less => (0, Reverse(other)),
            Ordering::Equal => (1 + u8::from(begins), Reverse(other)),
            Ordering::Greater => (3, Reverse(other)),
        };
        if way.from == phase {
            ends.push((place(way.to, true), number, true));
        }
        if way.to == phase {
            ends.push((place(way.from, false), number, false));
        }
    }
    ends.sort_unstable();
    ends.into_iter().map(|(_, number, begins)| (number, begins)).collect()
}

/// The first lane that no way before has where this one passes, the short ones first.
fn lanes(ways: &[Way], places: &mut [Place], up: bool) -> usize {
    let mut order: Vec<usize> = (0..ways.len()).filter(|number| is_up(&ways[*number]) == up).collect();
    order.sort_by_key(|number| (places[*number].begins.abs_diff(places[*number].ends), *number));
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    for number in order {
        let Place { begins, ends, .. } = places[number];
        let (top, bottom) = (begins.min(ends), begins.max(ends));
        let is_free = |lane: &Vec<(usize, usize)>| lane.iter().all(|(from, to)| bottom < *from || *to < top);
        let lane = taken.iter().position(is_free).unwrap_or(taken.len());
        if lane == taken.len() {
            taken.push(Vec::new());
        }
        taken[lane].push((top, bottom));
        places[number].lane = lane;
    }
    taken.len()
}

fn svg(names: &[String], ways: &[Way], name: &str) -> String {
    let mut places: Vec<Place> = ways.iter().map(|_| Place::default()).collect();
    let mut boxes: Vec<(usize, usize)> = Vec::new();
    let mut top = 1;
    for phase in 0..names.len() {
        let sides = [false, true].map(|up| ends(ways, phase, up));
        let height = sides.iter().map(Vec::len).max().unwrap_or_default().max(1) * STEP + STEP / 2;
        for side in sides {
            // In the middle of the box, however many there are.
            let first = top + (height - side.len().saturating_sub(1) * STEP) / 2;
            for (row, (number, begins)) in side.into_iter().enumerate() {
                let y = first + row * STEP;
                if begins { places[number].begins = y } else { places[number].ends = y }
            }
        }
        boxes.push((top, height));
        top += height + GAP;
    }
    let [down, up] = [false, true].map(|up| lanes(ways, &mut places, up));
    let longest = |up| ways.iter().filter(|way| is_up(way) == up).map(|way| way.words.chars().count()).max();
    let [right, left] = [false, true].map(|up| longest(up).unwrap_or_default() * LETTER + 2 * ROOM);
    let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or_default() * LETTER + 3 * ROOM;
    let start = up * STEP + left;
    let (width, height) = (start + wide + right + down * STEP, top - GAP + 1);
    let mut text = format!(
        "<figure class=\"drawing\"><svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"{}\">\n",
        escape(name)
    );
    for ((top, height), name) in boxes.into_iter().zip(names) {
        let (x, y) = (start + wide / 2, top + height / 2 + 5);
        let _ = writeln!(
            text,
            "<rect x=\"{start}\" y=\"{top}\" width=\"{wide}\" height=\"{height}\" rx=\"6\"/><text class=\"phase\" x=\"{x}\" \
             y=\"{y}\">{}</text>",
            escape(name)
        );
    }
    for (way, Place { begins, ends, lane }) in ways.iter().zip(places) {
        let up = is_up(way);
        let lane = (lane * STEP) + ROOM;
        let (edge, lane, tip, said) = if up {
            (start, start - left - lane, start - ROOM / 2, start - ROOM)
        } else {
            let edge = start + wide;
            (edge, edge + right + lane, edge + ROOM / 2, edge + ROOM)
        };
        let (above, below) = (ends - ROOM / 3, ends + ROOM / 3);
        let class = if up { " class=\"up\"" } else { "" };
        let _ = writeln!(
            text,
            "<path d=\"M{edge} {begins}H{lane}V{ends}H{tip}\"/><path class=\"head\" d=\"M{edge} {ends}L{back} {above}V{below}Z\"/>\
             <text{class} x=\"{said}\" y=\"{}\">{}</text>",
            begins - 5,
            escape(&way.words),
            back = if up { edge - ROOM } else { edge + ROOM },
        );
    }
    text + "</svg></figure>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: &[(char, char, char)]) -> String {
        drawing(rows, &'x', "a <machine>", |letter| format!("{letter:?}").replace('\'', ""))
    }

    #[test]
    fn every_phase_is_a_box_and_every_way_an_arrow() {
        let page = shown(&[('A', 'b', 'B'), ('B', 'a', 'A'), ('B', 'c', 'A'), ('B', 'd', 'B'), ('A', 'x', 'S')]);
        assert_eq!(page.matches("<rect").count(), 2, "what stops is left out: {page}");
        assert_eq!(page.matches("class=\"head\"").count(), 3);
        for words in [">b</text>", ">a, c</text>", ">d</text>", "aria-label=\"a &lt;machine&gt;\""] {
            assert!(page.contains(words), "no {words} in {page}");
        }
    }

    #[test]
    fn no_two_arrows_share_a_lane_where_they_pass_or_a_place_at_a_box() {
        let rows: Vec<(char, char, char)> =
            "ABCDEF".chars().flat_map(|from| "ABCDEF".chars().map(move |to| (from, 'y', to))).collect();
        let page = shown(&rows);
        // Edge, beginning, lane, end and tip of each arrow.
        let number = |text: &str| text.parse::<usize>().unwrap_or_default();
        let arrows: Vec<Vec<usize>> = page
            .split("<path d=\"M")
            .skip(1)
            .map(|rest| rest[..rest.find('"').unwrap_or(0)].split([' ', 'H', 'V']).map(number).collect())
            .collect();
        assert_eq!(arrows.len(), 36);
        for (place, one) in arrows.iter().enumerate() {
            for other in &arrows[..place] {
                let (top, bottom) = (one[1].min(one[3]), one[1].max(one[3]));
                let apart = bottom < other[1].min(other[3]) || other[1].max(other[3]) < top;
                assert!(one[2] != other[2] || apart, "{one:?} and {other:?} are one line");
                let ends = |arrow: &[usize]| [(arrow[0], arrow[1]), (arrow[0], arrow[3])];
                assert!(ends(one).iter().all(|end| !ends(other).contains(end)), "{one:?} and {other:?} meet at a box");
            }
        }
    }
}
