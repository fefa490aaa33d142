/// What a table says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The value of the key.
    Found(String),
    /// The table does not have the key; why, for people.
    NotFound(&'static str),
    /// Nobody can say at this time; why, for the mail server's log. The mail waits.
    Temporary(&'static str),
    /// Nobody will be able to say; why, for the mail server's log. The mail waits for an operator.
    Permanent(&'static str),
}
