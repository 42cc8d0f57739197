//! A secret: a text that no log, error or page can show by accident.

/// Holds a token or key. There is no `Display` or `Serialize`, and `Debug` shows nothing of it.
///
/// ```compile_fail
/// let token = floimg_fleet::secret::Secret::new("fst_1");
/// println!("{token}");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the text out, to be sent and never to be shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
