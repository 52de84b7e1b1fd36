//! The order in which a reader sees a line that has direction controls.

use icu_properties::props::BidiClass as B;

use super::super::context::bidi_class;

/// A line as it is stored, without its hidden characters, and as a reader sees it, by the bidirectional algorithm of
/// UAX #9 (brackets are not paired; everything else is done).
pub(in super::super) fn logical_and_rendered(line: &str) -> (String, String) {
    let line: Vec<char> = line.chars().take(400).collect();
    let seen = |c: &char| !is_hidden(*c);
    (line.iter().filter(|c| seen(c)).collect(), render(&line).iter().filter(|c| seen(c)).collect())
}

fn is_hidden(c: char) -> bool {
    super::super::tables::is_default_ignorable(c) || c.is_control()
}

const MAX_DEPTH: u8 = 125;

fn render(line: &[char]) -> Vec<char> {
    let mut classes: Vec<B> = line.iter().map(|&c| bidi_class(c)).collect();
    let base = first_strong(&classes, 0).unwrap_or(0);
    let (levels, kept) = explicit_levels(&mut classes, base);
    let mut levels = levels;
    for sequence in sequences(&classes, &levels, &kept) {
        resolve(&sequence, &mut classes, &mut levels, base);
    }
    reorder(line, &levels, &kept)
}

/// P2 and P3: the direction of the first strong character that lies in no isolate.
fn first_strong(classes: &[B], from: usize) -> Option<u8> {
    let mut depth = 0_usize;
    for &class in &classes[from..] {
        match class {
            B::LeftToRightIsolate | B::RightToLeftIsolate | B::FirstStrongIsolate => depth += 1,
            B::PopDirectionalIsolate if depth == 0 && from > 0 => return None,
            B::PopDirectionalIsolate => depth = depth.saturating_sub(1),
            B::LeftToRight if depth == 0 => return Some(0),
            B::RightToLeft | B::ArabicLetter if depth == 0 => return Some(1),
            _ => {}
        }
    }
    None
}

/// X1 to X9: levels by the controls, and which characters stay.
fn explicit_levels(classes: &mut [B], base: u8) -> (Vec<u8>, Vec<usize>) {
    let mut levels = vec![base; classes.len()];
    let mut kept = Vec::new();
    // Level, override, and whether an isolate opened it.
    let mut stack: Vec<(u8, Option<B>, bool)> = vec![(base, None, false)];
    let (mut lost_isolates, mut lost_embeddings, mut isolates) = (0_usize, 0_usize, 0_usize);
    for i in 0..classes.len() {
        let &(level, forced, _) = stack.last().unwrap_or(&(base, None, false));
        let next = |rtl: bool| if rtl { (level + 1) | 1 } else { (level + 2) & !1 };
        levels[i] = level;
        match classes[i] {
            class @ (B::LeftToRightEmbedding
            | B::RightToLeftEmbedding
            | B::LeftToRightOverride
            | B::RightToLeftOverride) => {
                let up = next(matches!(class, B::RightToLeftEmbedding | B::RightToLeftOverride));
                let force = match class {
                    B::LeftToRightOverride => Some(B::LeftToRight),
                    B::RightToLeftOverride => Some(B::RightToLeft),
                    _ => None,
                };
                if up <= MAX_DEPTH && lost_isolates == 0 && lost_embeddings == 0 {
                    stack.push((up, force, false));
                } else if lost_isolates == 0 {
                    lost_embeddings += 1;
                }
            }
            class @ (B::LeftToRightIsolate | B::RightToLeftIsolate | B::FirstStrongIsolate) => {
                kept.push(i);
                let rtl = match class {
                    B::FirstStrongIsolate => first_strong(classes, i + 1) == Some(1),
                    _ => class == B::RightToLeftIsolate,
                };
                if let Some(force) = forced {
                    classes[i] = force;
                }
                let up = next(rtl);
                if up <= MAX_DEPTH && lost_isolates == 0 && lost_embeddings == 0 {
                    isolates += 1;
                    stack.push((up, None, true));
                } else {
                    lost_isolates += 1;
                }
            }
            B::PopDirectionalIsolate => {
                kept.push(i);
                if lost_isolates > 0 {
                    lost_isolates -= 1;
                } else if isolates > 0 {
                    lost_embeddings = 0;
                    while stack.pop().is_some_and(|(_, _, isolate)| !isolate) {}
                    isolates -= 1;
                }
                let &(level, forced, _) = stack.last().unwrap_or(&(base, None, false));
                levels[i] = level;
                if let Some(force) = forced {
                    classes[i] = force;
                }
            }
            B::PopDirectionalFormat => {
                if lost_isolates > 0 {
                } else if lost_embeddings > 0 {
                    lost_embeddings -= 1;
                } else if stack.len() > 1 && stack.last().is_some_and(|&(_, _, isolate)| !isolate) {
                    stack.pop();
                }
            }
            B::BoundaryNeutral => {}
            _ => {
                kept.push(i);
                if let Some(force) = forced {
                    classes[i] = force;
                }
            }
        }
    }
    (levels, kept)
}

/// X10: stretches of one level, with what an isolate holds left out of the stretch around it.
fn sequences(classes: &[B], levels: &[u8], kept: &[usize]) -> Vec<Vec<usize>> {
    let mut done: Vec<Vec<usize>> = Vec::new();
    // The open stretch of every isolate around the place.
    let mut open: Vec<Vec<usize>> = vec![Vec::new()];
    let is_open = |c: B| matches!(c, B::LeftToRightIsolate | B::RightToLeftIsolate | B::FirstStrongIsolate);
    for &i in kept {
        if classes[i] == B::PopDirectionalIsolate
            && open.len() > 1
            && let Some(inner) = open.pop()
        {
            done.push(inner);
        }
        if let Some(stretch) = open.last_mut() {
            if stretch.last().is_some_and(|&last| levels[last] != levels[i]) {
                done.push(std::mem::take(stretch));
            }
            stretch.push(i);
        }
        if is_open(classes[i]) {
            open.push(Vec::new());
        }
    }
    done.extend(open);
    done.retain(|stretch| !stretch.is_empty());
    done
}

/// W1 to W7, N1 and N2, I1 and I2 on one stretch.
fn resolve(sequence: &[usize], classes: &mut [B], levels: &mut [u8], base: u8) {
    let (Some(&first), Some(&last)) = (sequence.first(), sequence.last()) else { return };
    let level = levels[first];
    let side = |n: u8| if n % 2 == 1 { B::RightToLeft } else { B::LeftToRight };
    let outside = |i: Option<usize>| i.and_then(|i| levels.get(i)).copied().unwrap_or(base);
    let sos = side(level.max(outside(first.checked_sub(1))));
    let eos = side(level.max(outside(Some(last + 1))));
    let own = side(level);
    let mut kinds: Vec<B> = sequence.iter().map(|&i| classes[i]).collect();
    let count = kinds.len();

    // W1: a mark is what it stands on.
    let mut previous = sos;
    for kind in &mut kinds {
        match *kind {
            B::NonspacingMark => *kind = previous,
            B::LeftToRightIsolate | B::RightToLeftIsolate | B::FirstStrongIsolate | B::PopDirectionalIsolate => {
                *kind = B::OtherNeutral;
                previous = B::OtherNeutral;
            }
            other => previous = other,
        }
    }
    // W2, W3: numbers behind Arabic letters are Arabic.
    let mut strong = sos;
    for kind in &mut kinds {
        match *kind {
            B::RightToLeft | B::LeftToRight => strong = *kind,
            B::ArabicLetter => {
                strong = B::ArabicLetter;
                *kind = B::RightToLeft;
            }
            B::EuropeanNumber if strong == B::ArabicLetter => *kind = B::ArabicNumber,
            _ => {}
        }
    }
    // W4: one separator between two numbers of a kind.
    for i in 1..count.saturating_sub(1) {
        let around = (kinds[i - 1], kinds[i + 1]);
        match (kinds[i], around) {
            (B::EuropeanSeparator | B::CommonSeparator, (B::EuropeanNumber, B::EuropeanNumber)) => {
                kinds[i] = B::EuropeanNumber
            }
            (B::CommonSeparator, (B::ArabicNumber, B::ArabicNumber)) => kinds[i] = B::ArabicNumber,
            _ => {}
        }
    }
    // W5, W6: terminators beside numbers belong to them; what is left of separators is neutral.
    let mut i = 0;
    while i < count {
        if kinds[i] != B::EuropeanTerminator {
            i += 1;
            continue;
        }
        let end = (i..count).find(|&k| kinds[k] != B::EuropeanTerminator).unwrap_or(count);
        let beside = i > 0 && kinds[i - 1] == B::EuropeanNumber || end < count && kinds[end] == B::EuropeanNumber;
        kinds[i..end].fill(if beside { B::EuropeanNumber } else { B::OtherNeutral });
        i = end;
    }
    for kind in &mut kinds {
        if matches!(*kind, B::EuropeanSeparator | B::CommonSeparator) {
            *kind = B::OtherNeutral;
        }
    }
    // W7: a number behind Latin is Latin.
    let mut strong = sos;
    for kind in &mut kinds {
        match *kind {
            B::LeftToRight | B::RightToLeft => strong = *kind,
            B::EuropeanNumber if strong == B::LeftToRight => *kind = B::LeftToRight,
            _ => {}
        }
    }
    // N1, N2: neutrals between two of a side take it, others that of their level.
    let strength = |kind: B| match kind {
        B::LeftToRight => Some(B::LeftToRight),
        B::RightToLeft | B::EuropeanNumber | B::ArabicNumber => Some(B::RightToLeft),
        _ => None,
    };
    let mut i = 0;
    while i < count {
        if strength(kinds[i]).is_some() {
            i += 1;
            continue;
        }
        let end = (i..count).find(|&k| strength(kinds[k]).is_some()).unwrap_or(count);
        let left = if i == 0 { Some(sos) } else { strength(kinds[i - 1]) };
        let right = if end == count { Some(eos) } else { strength(kinds[end]) };
        kinds[i..end].fill(if left == right { left.unwrap_or(own) } else { own });
        i = end;
    }
    // I1, I2.
    for (&i, &kind) in sequence.iter().zip(&kinds) {
        levels[i] = match (level % 2, kind) {
            (0, B::RightToLeft) => level + 1,
            (0, B::EuropeanNumber | B::ArabicNumber) => level + 2,
            (1, B::LeftToRight | B::EuropeanNumber | B::ArabicNumber) => level + 1,
            _ => level,
        };
    }
}

/// L2 and L4: turns every stretch at or above each level, from the deepest, and mirrors brackets.
fn reorder(line: &[char], levels: &[u8], kept: &[usize]) -> Vec<char> {
    let mut order: Vec<usize> = kept.to_vec();
    let deepest = order.iter().map(|&i| levels[i]).max().unwrap_or(0);
    for level in (1..=deepest).rev() {
        let mut at = 0;
        while at < order.len() {
            if levels[order[at]] < level {
                at += 1;
                continue;
            }
            let end = (at..order.len()).find(|&k| levels[order[k]] < level).unwrap_or(order.len());
            order[at..end].reverse();
            at = end;
        }
    }
    order.iter().map(|&i| if levels[i] % 2 == 1 { mirrored(line[i]) } else { line[i] }).collect()
}

fn mirrored(c: char) -> char {
    const PAIRS: [(char, char); 5] = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('«', '»')];
    PAIRS.iter().find_map(|&(a, b)| if c == a { Some(b) } else { (c == b).then_some(a) }).unwrap_or(c)
}
