//! Links the examples as any agent should be: never to be unmapped. The head of `lib.rs` says why.

fn main() {
    println!("cargo::rustc-link-arg=-Wl,-z,nodelete");
}
