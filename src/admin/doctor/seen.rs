//! What a check came to.

use crate::config::{Finding, Severity};

/// What a check came to.
#[derive(Debug)]
pub(super) enum Seen {
    /// Nothing in the configuration needs it: why.
    Needless(String),
    /// It was looked at.
    Looked {
        /// What is well and worth knowing, in a line each.
        well: Vec<String>,
        /// What is not.
        findings: Vec<Finding>,
    },
    /// It could not be looked at.
    Unknown {
        /// Why.
        why: String,
        /// What would help.
        remedy: String,
    },
}

/// How the host is, as monitoring wants to know it: the exit codes of Nagios' plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Everything is well.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// Something does not work.
    Critical,
    /// Something could not be looked at.
    Unknown,
}

impl Seen {
    /// This was found.
    pub(super) fn found(findings: Vec<Finding>) -> Self {
        Self::Looked {
            well: Vec::new(),
            findings,
        }
    }

    /// This is well, and this was found.
    pub(super) fn looked(well: Vec<String>, findings: Vec<Finding>) -> Self {
        Self::Looked { well, findings }
    }

    /// It could not be looked at.
    pub(super) fn unknown(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Unknown {
            why: why.into(),
            remedy: remedy.into(),
        }
    }

    /// The worst of it; none when the check does not apply.
    pub(super) fn status(&self) -> Option<Status> {
        match self {
            Self::Needless(_) => None,
            Self::Unknown { .. } => Some(Status::Unknown),
            Self::Looked { findings, .. } => {
                let status = findings.iter().map(|finding| Some(Status::of(finding)));
                Some(Status::worst(status))
            }
        }
    }
}

impl Status {
    /// That of one finding.
    pub(super) fn of(finding: &Finding) -> Self {
        match finding.severity {
            Severity::Error => Self::Critical,
            Severity::Warning => Self::Warning,
        }
    }

    /// What is known to be wrong comes before what is not known.
    pub(super) fn worst(each: impl Iterator<Item = Option<Self>>) -> Self {
        let order = [Self::Critical, Self::Warning, Self::Unknown, Self::Ok];
        let place = |status: &Self| order.iter().position(|other| other == status);
        each.flatten().min_by_key(place).unwrap_or(Self::Ok)
    }

    /// The exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// The word of monitoring.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn what_is_known_to_be_wrong_counts_most() {
        use Status::{Critical, Ok, Unknown, Warning};
        for (each, worst) in [
            (&[][..], Ok),
            (&[None, Some(Ok)], Ok),
            (&[Some(Ok), Some(Unknown), None], Unknown),
            (&[Some(Unknown), Some(Warning)], Warning),
            (&[Some(Warning), Some(Critical), Some(Unknown)], Critical),
        ] {
            assert_eq!(Status::worst(each.iter().copied()), worst, "{each:?}");
        }
    }
}
