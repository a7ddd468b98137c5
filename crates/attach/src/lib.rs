//! Find JVMs, shake hands with their attach listener without harm, speak the attach protocol.
