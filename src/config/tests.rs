//! What the configuration accepts, refuses and says.
