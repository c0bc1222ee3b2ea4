//! The codec over recorded messages of a client and a server that we did not write, and beside another codec.

mod command;
mod libwbxml;
mod samples;
