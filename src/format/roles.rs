//! Which field is what: as the policy declares it, or guessed from names first and from values second.
//!
//! A guess is made once a file, from its first records, and printed. Names decide where they are known; values only
//! break ties and veto: a column of ids, hashes, times or measurements is never a label, whatever it is called.

use super::{Blob, Cell, Guess, Kind, Name, Row};
use crate::lens::{FieldRoles, Role};

mod column;
mod names;

use column::Column;
use names::{leaf, normal, top};

/// The declared role of a field. What lies inside a declared list or object has its role, too.
pub(super) fn declared(roles: &FieldRoles, path: &str) -> Role {
    let exact = roles.fields.iter().find(|(field, _)| field == path);
    let around = || {
        roles.fields.iter().find(|(field, _)| {
            let inside = path.strip_prefix(field.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']));
            inside && !names::is_speaker(leaf(path)) && !is_overwritten(path)
        })
    };
    exact.or_else(around).map_or(Role::Other, |&(_, role)| role)
}

/// The role of a field that comes up after the guess was made.
pub(super) fn late(guess: Option<&Guess>, path: &str) -> Role {
    let Some(guess) = guess else { return Role::Other };
    let has = |role| guess.fields.iter().any(|&(_, r)| r == role);
    let leaf = normal(leaf(path));
    if is_overwritten(path) || path.starts_with('$') {
        Role::Other
    } else if names::is_spoken(path) || names::TEXT.contains(&leaf.as_str()) {
        Role::Text
    } else if names::SURE_LABEL.contains(&leaf.as_str()) && !has(Role::Label) && !path.contains('[') {
        Role::Label
    } else {
        Role::Other
    }
}

/// Whether a field of this name is known, so that a first row with it is a header.
pub(super) fn is_known(name: &str) -> bool {
    let name = normal(name);
    let name = name.as_str();
    names::TEXT.contains(&name)
        || names::LABEL.contains(&name)
        || names::TAGS.contains(&name)
        || by_name(name).is_some()
        || name.starts_with("is_")
}

/// Roles that names alone give away.
fn by_name(name: &str) -> Option<Role> {
    if names::USER.contains(&name) {
        Some(Role::User)
    } else if names::TIME.contains(&name) || name.ends_with("_at") {
        Some(Role::Time)
    } else if names::ID.contains(&name) {
        Some(Role::Id)
    } else if names::SOURCE.contains(&name) {
        Some(Role::Source)
    } else {
        None
    }
}

fn is_overwritten(path: &str) -> bool {
    path.ends_with(super::json::OVERWRITTEN)
}

/// Settles the roles of a file's fields before its first batch is handed on: as the policy declares them, else guessed
/// from the records of the sample.
pub(super) fn settle(
    blob: &Blob<'_>,
    kind: Kind,
    names: &mut [Name],
    text: &[u8],
    rows: &[Row],
    cells: &[Cell],
) -> Option<Guess> {
    match &blob.lens.roles {
        Some(roles) => {
            for name in names {
                name.role = declared(roles, &name.path);
            }
            None
        }
        None if kind.is_data() || blob.lens.dataset.is_some() => guess(kind, names, text, rows, cells),
        None => None,
    }
}

/// Guesses the roles from the sample and writes them into `names`.
fn guess(kind: Kind, names: &mut [Name], text: &[u8], rows: &[Row], cells: &[Cell]) -> Option<Guess> {
    if rows.is_empty() || names.is_empty() {
        return None;
    }
    let settled = names.iter().any(|name| name.role != Role::Other);
    if !settled {
        let columns = column::all(names, text, rows, cells);
        let roles = Roles { columns: &columns, rows: rows.len(), roles: vec![Role::Other; names.len()] }.tell();
        for (name, role) in names.iter_mut().zip(roles) {
            name.role = role;
        }
    }
    // Lines beside the records are looked at and are no field of theirs.
    let is_field = |name: &&Name| name.role != Role::Other && !(kind.is_lines() && name.path == "line");
    let fields: Vec<(String, Role)> =
        names.iter().filter(is_field).map(|name| (name.path.clone(), name.role)).collect();
    let shape = match kind {
        Kind::Text if names.iter().any(|name| name.path == "intent") => "Rasa intents",
        Kind::Tokens => "words with labels",
        Kind::Text | Kind::Markdown => "plain text",
        _ => names::shape(names),
    };
    Some(Guess { shape, support: support(names, rows, cells), fields })
}

/// Rows that have what the shape asks for, and all rows of the sample.
fn support(names: &[Name], rows: &[Row], cells: &[Cell]) -> (u32, u32) {
    let wanted: Vec<Role> =
        [Role::Text, Role::Label].into_iter().filter(|role| names.iter().any(|name| name.role == *role)).collect();
    let has = |row: &&Row| {
        let cells = &cells[row.cells as usize..(row.cells + row.len) as usize];
        !wanted.is_empty()
            && wanted.iter().all(|role| cells.iter().any(|cell| names[usize::from(cell.name)].role == *role))
    };
    let filled = rows.iter().filter(|row| row.len > 0);
    (filled.clone().filter(has).count() as u32, filled.count() as u32)
}

struct Roles<'a> {
    columns: &'a [Column<'a>],
    rows: usize,
    roles: Vec<Role>,
}

impl Roles<'_> {
    fn tell(mut self) -> Vec<Role> {
        self.names_that_say_it();
        self.labels_by_name();
        self.texts();
        if !self.roles.contains(&Role::Label) {
            self.label_by_values();
        }
        self.roles
    }

    fn free(&self) -> impl Iterator<Item = (usize, &Column<'_>)> {
        self.columns.iter().enumerate().filter(|&(i, column)| self.roles[i] == Role::Other && !column.is_aside)
    }

    /// Ids, users, times, sources, and what is said in conversations.
    fn names_that_say_it(&mut self) {
        for (i, column) in self.columns.iter().enumerate() {
            if column.is_aside {
                continue;
            }
            if names::is_spoken(column.path) {
                self.roles[i] = Role::Text;
            } else if !column.path.contains('[')
                && let Some(role) = by_name(&column.leaf)
                && (role != Role::Id || column.path == top(column.path))
            {
                self.roles[i] = role;
            }
        }
    }

    /// The first name of the list whose values may be labels; where several columns each say yes or no to one class,
    /// all of them.
    fn labels_by_name(&mut self) {
        let choices = self.columns.iter().any(|c| names::CHOICES.contains(&normal(top(c.path)).as_str()));
        let preference = names::is_preference(self.columns.iter().map(|c| c.path));
        let mut best: Option<(usize, usize, usize)> = None;
        let mut flags = Vec::new();
        for (i, column) in self.free() {
            let leaf = column.leaf.as_str();
            let depth = column.path.matches(['.', '[']).count();
            if column.path.contains("[]") {
                if names::TAGS.contains(&leaf)
                    && column.path.matches("[]").count() == 1
                    && column.may_be_label(self.rows)
                {
                    best = best.min(Some((1000, depth, i))).or(Some((1000, depth, i)));
                }
                continue;
            }
            let is_flag = leaf.starts_with("is_") || names::FLAGS.contains(&leaf);
            if is_flag && column.is_yes_or_no() {
                flags.push(i);
                continue;
            }
            let Some(place) = names::LABEL.iter().position(|name| *name == leaf) else { continue };
            let is_answer = matches!(leaf, "answer" | "target" | "output" | "expected");
            let fits = match is_answer && !choices {
                true => column.is_of_few_values(self.rows),
                false => column.may_be_label(self.rows),
            };
            // Scores beside chosen and rejected are measurements.
            if fits && !(preference && depth > 0) {
                best = best.min(Some((place, depth, i))).or(Some((place, depth, i)));
            }
        }
        match best {
            Some((_, _, i)) => self.roles[i] = Role::Label,
            None => flags.into_iter().for_each(|i| self.roles[i] = Role::Label),
        }
    }

    /// Text by name; without any, what reads like text.
    fn texts(&mut self) {
        let named: Vec<usize> = self
            .free()
            .filter(|(_, c)| names::TEXT.contains(&c.leaf.as_str()) || names::CHOICES.contains(&c.leaf.as_str()))
            .filter(|(_, c)| c.has_letters())
            .map(|(i, _)| i)
            .collect();
        for i in named {
            self.roles[i] = Role::Text;
        }
        if !self.roles.contains(&Role::Text) {
            let prose: Vec<usize> = self.free().filter(|(_, c)| c.reads_like_text()).map(|(i, _)| i).collect();
            for i in prose {
                self.roles[i] = Role::Text;
            }
        }
        // `word,label`: two columns, one of them the label.
        if !self.roles.contains(&Role::Text) && self.roles.contains(&Role::Label) {
            let others: Vec<usize> = self.free().filter(|(_, c)| c.has_letters()).map(|(i, _)| i).collect();
            if let [only] = others[..] {
                self.roles[only] = Role::Text;
            }
        }
    }

    /// A label by cardinality, only where a text is there and exactly one column can be meant.
    fn label_by_values(&mut self) {
        if !self.roles.contains(&Role::Text) || names::is_conversation(self.columns.iter().map(|c| c.path)) {
            return;
        }
        // `[text, label]` without names, sorted by the label: the sample may hold one class alone.
        let pairs = self.columns.len() == 2 && self.columns[1].path == "column2";
        let candidates: Vec<usize> = self
            .free()
            .filter(|(_, c)| {
                !c.path.contains(['[', '.'])
                    && !names::NO_LABEL.contains(&c.leaf.as_str())
                    && (c.is_of_few_values(self.rows) || (pairs && c.is_of_one_word(self.rows)))
            })
            .map(|(i, _)| i)
            .collect();
        if let [only] = candidates[..] {
            self.roles[only] = Role::Label;
        }
    }
}

#[cfg(test)]
mod tests;
