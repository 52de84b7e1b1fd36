//! Who is told: turns an outcome into what people and programs read.
