//! Messages to a language model, as plain data that names no provider.

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The host: what holds for every call.
    System,
    /// The host again, for this one call; gallery text only ever stands here, fenced.
    User,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// The address of a picture to look at.
    pub image: Option<String>,
}
