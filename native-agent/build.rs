//! The library must stay mapped. HotSpot closes one whose `Agent_OnAttach` returned an error (17 and newer do), even if a
//! thread of the application is in one of its callbacks at that moment: it would fall into nothing.

fn main() {
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
