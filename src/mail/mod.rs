//! Mail from and to the world.

pub mod submission;
