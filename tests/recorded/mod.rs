//! Recorded sessions, and what can be done with them: phones against the engine in memory.

mod conflicts;
mod holds;
mod sessions;
mod undo;
mod world;
