//! Recorded sessions, and what can be done with them: phones against the engine in memory.

mod sessions;
#[allow(dead_code)]
mod world;
