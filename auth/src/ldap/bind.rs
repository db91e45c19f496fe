//! Verifying a password by a bind: the directory itself says whether it is right, and why not.

use super::connection::{Connection, Deadline};
use super::fault::{Answer, LdapError};
use super::name::BindName;
use super::password::BindPassword;
use super::servers::Ask;
use super::state;
use crate::{Reason, Verdict};

/// A bind as somebody, whose connection is that somebody's afterwards.
pub(super) struct Bind {
    pub(super) name: BindName,
    pub(super) password: BindPassword,
}

impl Ask for Bind {
    type Answer = Verdict;

    async fn ask(
        &self,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<Verdict, LdapError> {
        let answer = connection
            .bind(&self.name, &self.password, deadline)
            .await?;
        judge(connection.server(), answer)
    }
}

/// What the result of a bind says about the password.
fn judge(server: &str, answer: Answer) -> Result<Verdict, LdapError> {
    match (answer.code, state::of_bind(&answer)) {
        (_, Some(Reason::WrongPassword)) => Ok(Verdict::Wrong),
        // Also when the bind was accepted: then it is good for a change of the password alone.
        (_, Some(reason)) => Ok(Verdict::Barred(reason)),
        (0, None) => Ok(Verdict::Right),
        // invalidCredentials; or the entry went away meanwhile.
        (49 | 32, None) => Ok(Verdict::Wrong),
        // inappropriateAuthentication: the entry has no password.
        (48, None) => Ok(Verdict::NoPassword),
        (_, None) => Err(LdapError::Refused {
            server: server.to_owned(),
            doing: "binding as a user",
            answer,
        }),
    }
}
