//! Pushes as others read them: tshark, libwbxml, libsynthesis, another HMAC; the command line; and the samples.

mod command;
mod libsynthesis;
mod libwbxml;
mod listen;
mod ota_sync;
mod pushes;
mod samples;
mod signature;
mod tshark;
