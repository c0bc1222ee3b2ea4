//! The pure layers of candybar and the readers of mail, built from their sources without the layers around them.

#![allow(dead_code, unreachable_pub, unused_imports, missing_docs)]

#[path = "../src/content/mod.rs"]
pub mod content;
#[path = "../src/filter/mod.rs"]
pub mod filter;
#[path = "mail.rs"]
pub mod mail;
#[path = "../src/push/mod.rs"]
pub mod push;
#[path = "../src/syncml/mod.rs"]
pub mod syncml;
#[path = "../src/wbxml/mod.rs"]
pub mod wbxml;
#[path = "../src/xml/mod.rs"]
pub mod xml;
