//! What a session is told when it begins: the profile, the limits, and what the channel permits.

/// Whose behaviour the server shows: the defaults, capabilities and texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// \[MS-STANXPOP3\] v6.0 with response codes, PIPELINING and exact sizes.
    #[default]
    Postern,
    /// Exchange Server 2007.
    Exchange2007,
    /// Exchange Server 2010.
    Exchange2010,
    /// Exchange Server 2013.
    Exchange2013,
    /// Exchange Server 2016.
    Exchange2016,
}

/// Which message gets number 1: `MessageRetrievalSortOrder` of Set-PopSettings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    Ascending,
    /// The newest.
    Descending,
}

/// Whether UTF8 (RFC 6856) is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utf8 {
    /// The command does not exist.
    Off,
    /// Offered; a client that does not ask for it gets messages as they are stored all the same,
    /// because raw 8-bit headers are common and refusing them would leave mail unreadable.
    On,
    /// Offered; a client that does not ask for it gets `-ERR [UTF8]` for a message whose header is
    /// not ASCII (RFC 6856 §2.1).
    Strict,
}

impl Utf8 {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Strict => "strict",
        }
    }
}

/// The settings of a session; shared, and constant while it lasts.
#[derive(Debug)]
pub struct Settings {
    /// Whose texts and capabilities.
    pub profile: Profile,
    /// The text behind `+OK ` of the greeting: ASCII, without `<` or a leading `[`, at most 506
    /// octets.
    pub greeting: String,
    /// The longest command in octets with its line end (`MaxCommandSize`, 40 to 1024).
    pub max_command: usize,
    /// The longest line of a SASL exchange in octets with its line end.
    pub max_response: usize,
    /// Whether `AUTH` with an initial response may be as long as `max_response`, rather than
    /// `max_command` (RFC 5034 §4 allows only the latter; some clients send long tickets there).
    pub long_initial_response: bool,
    /// Whether replies carry response codes (RFC 2449 §6.4, RFC 3206).
    pub response_codes: bool,
    /// Whether PIPELINING is announced; it always works.
    pub pipelining: bool,
    /// Which message gets number 1.
    pub order: Order,
    /// Whether UTF8 is offered.
    pub utf8: Utf8,
    /// Whether LANG is offered.
    pub lang: bool,
}

/// What a client may do on this channel to log in. Replaced when TLS starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// SASL mechanisms, upper case, in the order in which they are shown.
    pub mechanisms: Vec<String>,
    /// Whether USER and PASS are permitted.
    pub password: bool,
    /// Whether STLS is possible: a certificate is there and TLS has not begun.
    pub starttls: bool,
}

impl Offer {
    /// Whether anything at all can be tried before TLS.
    pub(super) fn is_closed(&self) -> bool {
        self.mechanisms.is_empty() && !self.password
    }
}
