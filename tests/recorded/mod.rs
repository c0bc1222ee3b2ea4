//! Recorded sessions, and what can be done with them: phones against the engine in memory.

mod conflicts;
mod echoes;
mod effects;
mod holds;
mod refreshes;
mod refusals;
mod sessions;
mod sif;
mod undo;
mod world;
