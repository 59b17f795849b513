//! A migration that is added makes the program compile again: it carries all of them.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
