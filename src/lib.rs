//! foretaste tastes training data before a model does.

mod check;
mod diff;
mod engine;
mod finding;
mod fold;
mod format;
mod lens;
mod policy;
mod report;
mod rule;
mod source;
mod span;
