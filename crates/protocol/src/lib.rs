//! What the injector and its agents say to each other. Pure: names, texts and layouts; no file is opened here.
//!
//! Attach opens a session and carries no more than the path of the session's directory; everything else is in files of
//! that directory ([`session`]), written as the text of `java.util.Properties` ([`properties`]), which the Java side
//! reads and writes with what every JDK has. What only the native agent knows is in [`native`], a patch in [`patch`].

pub mod events;
pub mod native;
pub mod nearest;
pub mod patch;
pub mod pattern;
pub mod properties;
pub mod session;
