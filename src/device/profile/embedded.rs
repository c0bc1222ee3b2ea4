//! The profiles that come with the program: every file of the folder `profiles`, which a test compares with this list.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$((concat!($name, ".toml"), include_str!(concat!("../../../profiles/", $name, ".toml")))),*]
    };
}

/// Names and texts.
pub(super) const FILES: &[(&str, &str)] = files![
    "nokia",
    "nokia-9210",
    "nokia-n9",
    "nokia-s40",
    "nokia-s40-1st",
    "nokia-s40-2nd",
    "nokia-s40-3rd",
    "nokia-s40-5th",
    "nokia-s40-6th",
    "nokia-s60",
    "nokia-s60-2nd",
    "nokia-s60-3rd",
    "nokia-s60-5th",
    "nokia-series80",
    "nokia-symbian3",
];
