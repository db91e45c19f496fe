//! A whole NTLM exchange: who has the NT hash comes in, and nobody else does, whatever is changed on
//! the way. Who should come in is computed a second time from the messages alone.
//!
//! Input: octets of choice (the server's rules; whether a client makes the messages or they are raw;
//! the client's flags, names, pairs and clock), then changes of four octets: what is changed, where
//! (two octets), and by what. Raw messages follow each other with their lengths before them.

use postern_auth::{Exchange, ExtendedProtection, Login, Progress, RefusalKind, TlsFacts};

use super::ntlm::{self, flag, pair, u32_at, utf16};
use super::toy::{House, NT_HASH};

/// The certificate that the client sees.
const END_POINT: [u8; 32] = [8; 32];
/// The service that a client may mean, where that is looked at.
const TARGET: &str = "pop/toy.test";
/// 36 hours, in units of 100 ns.
const WINDOW: u64 = 36 * HOUR;
const HOUR: u64 = 3600 * 10_000_000;

/// Plays one exchange.
pub fn run(input: &[u8]) {
    let Some(([rules, made, choices @ ..], rest)) = input.split_first_chunk::<7>() else {
        return;
    };
    let rules = Rules::of(*rules);
    let mut house = rules.house();
    let House {
        authenticator,
        channel,
        caller,
        ..
    } = &mut house;
    let exchange = match authenticator.begin("NTLM", channel, caller) {
        Ok(exchange) => exchange,
        Err(refusal) => {
            let unbindable = rules.protection == ExtendedProtection::Require && !rules.binds;
            assert!(unbindable && refusal.kind == RefusalKind::Mechanism);
            return assert_eq!(house.records().len(), 1);
        }
    };
    if made & 1 == 0 {
        raw(&house, exchange, rest);
    } else {
        Play::of(*choices, rest).run(&house, exchange, &rules);
    }
    let records = house.records();
    assert_eq!(records.len(), 1, "one record an attempt");
    let shown = format!("{records:?}");
    assert!(!shown.contains("164, 244, 156, 64"), "the hash is recorded");
}

/// Octets that nobody made with the hash.
fn raw(house: &House, mut exchange: Exchange, mut rest: &[u8]) {
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (message, behind) = behind.split_at(length);
        rest = behind;
        match house.step(&mut exchange, Some(message), false) {
            Progress::Granted(_) => panic!("somebody without the hash was let in"),
            Progress::Challenge(_) => {}
            Progress::Refused(_) => return,
        }
    }
}

/// What the server asks.
struct Rules {
    require_mic: bool,
    protection: ExtendedProtection,
    has_target: bool,
    delegate: bool,
    /// Whether there is a certificate to bind to.
    binds: bool,
}

impl Rules {
    fn of(octet: u8) -> Self {
        Self {
            require_mic: octet & 1 != 0,
            protection: match octet >> 1 & 3 {
                0 => ExtendedProtection::None,
                1 => ExtendedProtection::Audit,
                2 => ExtendedProtection::Allow,
                _ => ExtendedProtection::Require,
            },
            has_target: octet & 8 != 0,
            delegate: octet & 16 != 0,
            binds: octet & 32 != 0,
        }
    }

    fn house(&self) -> House {
        let tls = TlsFacts {
            server_end_point: self.binds.then(|| END_POINT.as_slice().into()),
            ..TlsFacts::default()
        };
        House::changed(&["NTLM"], Some(tls), |policy, rule| {
            policy.ntlm.require_mic = self.require_mic;
            policy.ntlm.delegate = self.delegate;
            if self.has_target {
                policy.ntlm.targets.push(TARGET.to_owned());
            }
            rule.extended_protection = self.protection;
        })
    }
}

/// What a client does, and what becomes of it on the way.
struct Play<'a> {
    flags: u32,
    domain: &'static str,
    hashed_domain: &'static str,
    user: &'static str,
    knows_hash: bool,
    has_code: bool,
    binding: Option<[u8; 16]>,
    target: Option<&'static str>,
    /// Pairs of the server's that are not repeated.
    without: Option<u16>,
    hours: i8,
    changes: &'a [[u8; 4]],
}

/// What is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    Negotiate,
    /// As the client sees it.
    Challenge,
    /// What the proof is over, before it is made: the client itself sends something odd.
    Temp,
    Authenticate,
    /// Cut off at this place.
    Cut,
    /// An octet put in.
    Longer,
}

impl<'a> Play<'a> {
    fn of([client, names, pairs, hours, _]: [u8; 5], rest: &'a [u8]) -> Self {
        let text = if client & 1 == 0 {
            flag::UNICODE
        } else {
            flag::OEM
        };
        let exchange = flag::KEY_EXCHANGE | flag::KEY_128;
        let layer = [0, exchange | flag::SIGN, exchange, flag::SEAL];
        let version = if client & 8 == 0 { flag::VERSION } else { 0 };
        let domain = ["", "TOY", "Corp", "."][usize::from(names & 3)];
        Self {
            flags: text
                | layer[usize::from(client >> 1 & 3)]
                | version
                | flag::NTLM
                | flag::REQUEST_TARGET
                | flag::EXTENDED_SESSION_SECURITY,
            domain,
            hashed_domain: [domain, "", "CORP", "x"][usize::from(client >> 4 & 3)],
            knows_hash: client & 64 == 0,
            has_code: client & 128 == 0,
            user: USERS[usize::from(names >> 2) % USERS.len()],
            binding: [
                None,
                Some([0; 16]),
                Some(ntlm::binding(&END_POINT)),
                Some([1; 16]),
            ][usize::from(pairs & 3)],
            target: [None, Some(""), Some("POP/toy.test"), Some("http/toy.test")]
                [usize::from(pairs >> 2 & 3)],
            without: Some(u16::from(pairs >> 4)).filter(|kind| *kind != 0),
            hours: hours.cast_signed(),
            changes: rest.as_chunks().0,
        }
    }

    fn run(&self, house: &House, mut exchange: Exchange, rules: &Rules) {
        let mut negotiate = b"NTLMSSP\0\x01\0\0\0".to_vec();
        negotiate.extend(self.flags.to_le_bytes());
        negotiate.extend([0; 16]);
        let made = negotiate.clone();
        self.change(Changed::Negotiate, &mut negotiate);
        let challenge = match house.step(&mut exchange, Some(&negotiate), false) {
            Progress::Challenge(challenge) => challenge,
            Progress::Refused(refusal) => {
                assert!(refusal.kind == RefusalKind::Credentials);
                return assert_ne!(negotiate, made, "a good NEGOTIATE is refused");
            }
            Progress::Granted(_) => panic!("NEGOTIATE was enough"),
        };
        let mut seen = challenge.clone();
        self.change(Changed::Challenge, &mut seen);
        let Some(authenticate) = self.authenticate(&made, &seen) else {
            return;
        };
        let judge = Judge {
            rules,
            negotiate: &negotiate,
            challenge: &challenge,
            authenticate: &authenticate,
        };
        let verdict = judge.verdict();
        let may = verdict != Verdict::No;
        match house.step(&mut exchange, Some(&authenticate), may) {
            Progress::Granted(identity) => {
                let key = judge.key().expect("a name");
                assert!(may, "let in against the rules");
                assert_eq!(identity.actor(), key, "as somebody else");
            }
            Progress::Refused(refusal) => {
                let reason = house.records()[0].reason.as_str();
                assert_ne!(verdict, Verdict::Yes, "refused: {reason}");
                let trouble = reason == "directory-trouble";
                assert_eq!(refusal.kind == RefusalKind::Unavailable, trouble);
            }
            Progress::Challenge(_) => panic!("one challenge too many"),
        }
    }

    /// AUTHENTICATE for the challenge as it is seen; none when the client cannot make head or tail
    /// of it.
    fn authenticate(&self, negotiate: &[u8], challenge: &[u8]) -> Option<Vec<u8>> {
        let granted = u32_at(challenge, 20)?;
        let (_, info) = ntlm::field(challenge, 40, 48)?;
        let mut temp = self.temp(&ntlm::pairs(info)?);
        self.change(Changed::Temp, &mut temp);
        let hash = if self.knows_hash { NT_HASH } else { [0; 16] };
        let key = ntlm::response_key(&hash, self.user, self.hashed_domain);
        let proof = ntlm::hmac_md5(&key, &[challenge.get(24..32)?, &temp]);
        let base = ntlm::hmac_md5(&key, &[&proof]);
        let exchanges =
            granted & flag::KEY_EXCHANGE != 0 && granted & (flag::SIGN | flag::SEAL) != 0;
        let (exported, encrypted) = if exchanges {
            ([0x55; 16], ntlm::exchanged(&base, &[0x55; 16]).to_vec())
        } else {
            (base, Vec::new())
        };
        let written = |text: &str| {
            if granted & flag::UNICODE == 0 {
                text.as_bytes().to_vec()
            } else {
                utf16(text)
            }
        };
        let names = [self.domain, self.user, "FUZZ"].map(written);
        let nt = [&proof[..], &temp].concat();
        let parts = [
            &[0; 24][..],
            &nt,
            &names[0],
            &names[1],
            &names[2],
            &encrypted,
        ];
        let mut message = ntlm::write(parts, granted);
        if self.has_code {
            let code = ntlm::hmac_md5(&exported, &[negotiate, challenge, &message]);
            message[72..88].copy_from_slice(&code);
        }
        self.change(Changed::Authenticate, &mut message);
        self.change(Changed::Longer, &mut message);
        self.change(Changed::Cut, &mut message);
        Some(message)
    }

    fn temp(&self, pairs: &[(u16, &[u8])]) -> Vec<u8> {
        let time = ntlm::value(pairs, pair::TIMESTAMP).and_then(|time| time.try_into().ok());
        let time = time.map_or(0, u64::from_le_bytes);
        // Never within minutes of the limit: the server's clock goes on.
        let ahead = i64::from(self.hours) * HOUR.cast_signed() + HOUR.cast_signed() / 2;
        let mut list: Vec<(u16, Vec<u8>)> = pairs
            .iter()
            .filter(|(kind, _)| Some(*kind) != self.without)
            .map(|(kind, value)| (*kind, value.to_vec()))
            .collect();
        if self.has_code {
            list.push((pair::FLAGS, vec![2, 0, 0, 0]));
        }
        list.extend(self.binding.map(|hash| (pair::BINDINGS, hash.to_vec())));
        list.extend(self.target.map(|name| (pair::TARGET_NAME, utf16(name))));
        let mut temp = vec![1, 1, 0, 0, 0, 0, 0, 0];
        temp.extend(time.saturating_add_signed(ahead).to_le_bytes());
        temp.extend([0xaa; 8]);
        temp.extend([0; 4]);
        temp.extend(ntlm::pair_octets(&list));
        temp.extend([0; 4]);
        temp
    }

    /// Makes the changes of one kind.
    fn change(&self, what: Changed, octets: &mut Vec<u8>) {
        for [kind, high, low, by] in self.changes {
            let kind = match kind % 6 {
                0 => Changed::Negotiate,
                1 => Changed::Challenge,
                2 => Changed::Temp,
                3 => Changed::Authenticate,
                4 => Changed::Cut,
                _ => Changed::Longer,
            };
            let at = usize::from(u16::from_be_bytes([*high, *low])) % octets.len().max(1);
            match kind {
                _ if kind != what => {}
                Changed::Cut => octets.truncate(at),
                Changed::Longer => octets.insert(at, *by),
                _ => octets
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|octet| *octet ^= by),
            }
        }
    }
}

/// Names that a client says, and one that looks like another.
const USERS: [&str; 16] = [
    "alice",
    "ALICE",
    "alice@toy.test",
    "Jörg",
    "bob",
    "carol",
    "dave",
    "nobody",
    "sales",
    "guest",
    "administrator",
    "trouble",
    "alice/sales",
    "alice/bob",
    "ann/sales",
    "\u{131}lse",
];
/// Those of them who can come in.
const PLAIN: [&str; 4] = ["alice", "ALICE", "alice@toy.test", "Jörg"];

/// What should come of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The proof is wrong, or a rule is broken.
    No,
    /// Proof and rules are right; whether the account may come in is another matter.
    Perhaps,
    /// Proof and rules are right, and the account is one that may come in.
    Yes,
}

/// \[MS-NLMP\] §3.2.5.1.2 and the rules, from the messages as the server has them.
struct Judge<'a> {
    rules: &'a Rules,
    negotiate: &'a [u8],
    challenge: &'a [u8],
    authenticate: &'a [u8],
}

impl Judge<'_> {
    fn answer(&self) -> Option<ntlm::Answer<'_>> {
        let unicode = u32_at(self.challenge, 20)? & flag::UNICODE != 0;
        ntlm::answer(self.authenticate, unicode)
    }

    fn verdict(&self) -> Verdict {
        let may = self.answer().and_then(|answer| self.proven(&answer));
        match (may, self.answer()) {
            (Some(()), Some(answer)) if PLAIN.contains(&&*answer.user) && self.key().is_some() => {
                Verdict::Yes
            }
            (Some(()), _) => Verdict::Perhaps,
            (None, _) => Verdict::No,
        }
    }

    /// Under which name the account is looked for.
    fn key(&self) -> Option<String> {
        let answer = self.answer()?;
        let user = match answer.user.rsplit_once('/') {
            Some((user, mailbox))
                if self.rules.delegate && !user.is_empty() && !mailbox.is_empty() =>
            {
                user.to_owned()
            }
            _ => answer.user,
        };
        let typed = if answer.domain.is_empty() {
            user
        } else {
            format!("{}\\{user}", answer.domain)
        };
        Some(Login::parse(&typed).ok()?.key().to_owned())
    }

    /// Whether proof, integrity code, time, names and binding are right.
    fn proven(&self, answer: &ntlm::Answer<'_>) -> Option<()> {
        let (proof, temp) = answer.nt.split_first_chunk::<16>()?;
        let pairs = ntlm::pairs(temp.get(28..)?)?;
        let server: &[u8] = &self.challenge[24..32];
        let domains = [
            answer.domain.clone(),
            ntlm::upper(&answer.domain),
            String::new(),
        ];
        let base = domains.iter().find_map(|domain| {
            let key = ntlm::response_key(&NT_HASH, &answer.user, domain);
            let right = ntlm::hmac_md5(&key, &[server, temp]) == *proof;
            right.then(|| ntlm::hmac_md5(&key, &[proof]))
        })?;
        self.integrity(answer, &pairs, &base)?;
        self.ours(temp, &pairs)?;
        self.bound(&pairs)
    }

    fn integrity(
        &self,
        answer: &ntlm::Answer<'_>,
        pairs: &[(u16, &[u8])],
        base: &[u8; 16],
    ) -> Option<()> {
        let flags = answer.flags & u32_at(self.challenge, 20)?;
        let may_exchange = flags & flag::KEY_EXCHANGE != 0;
        let must_exchange = may_exchange && flags & (flag::SIGN | flag::SEAL) != 0;
        let encrypted: Option<[u8; 16]> = answer.key.try_into().ok();
        if must_exchange && encrypted.is_none() {
            return None;
        }
        if bits(pairs)? & 2 == 0 {
            return (!self.rules.require_mic).then_some(());
        }
        let at = answer.code_at()?;
        let mut blank = self.authenticate.to_vec();
        blank[at..at + 16].fill(0);
        let right = |key: &[u8; 16]| {
            let code = ntlm::hmac_md5(key, &[self.negotiate, self.challenge, &blank]);
            code == self.authenticate[at..at + 16]
        };
        let exchanged = encrypted
            .filter(|_| may_exchange)
            .is_some_and(|encrypted| right(&ntlm::exchanged(base, &encrypted)));
        (exchanged || !must_exchange && right(base)).then_some(())
    }

    /// Whether it was made now, and for this server.
    fn ours(&self, temp: &[u8], pairs: &[(u16, &[u8])]) -> Option<()> {
        let (_, info) = ntlm::field(self.challenge, 40, 56)?;
        let own = ntlm::pairs(info)?;
        for kind in [
            pair::NB_COMPUTER,
            pair::NB_DOMAIN,
            pair::DNS_COMPUTER,
            pair::DNS_DOMAIN,
            pair::TIMESTAMP,
        ] {
            let said = ntlm::value(pairs, kind);
            if said.is_some() && said != ntlm::value(&own, kind) {
                return None;
            }
        }
        let now = u64::from_le_bytes(ntlm::value(&own, pair::TIMESTAMP)?.try_into().ok()?);
        let said = u64::from_le_bytes(temp.get(8..16)?.try_into().ok()?);
        let meant = ntlm::value(pairs, pair::TARGET_NAME).filter(|name| !name.is_empty());
        let untrusted = bits(pairs)? & 4 != 0;
        let other = meant.is_some_and(|name| !name.eq_ignore_ascii_case(&utf16(TARGET)));
        let elsewhere = self.rules.has_target && !untrusted && other;
        (!elsewhere && said.abs_diff(now) <= WINDOW).then_some(())
    }

    fn bound(&self, pairs: &[(u16, &[u8])]) -> Option<()> {
        let said: Option<[u8; 16]> = match ntlm::value(pairs, pair::BINDINGS) {
            Some(said) => Some(said.try_into().ok()?),
            None => None,
        };
        let said = said.filter(|said| *said != [0; 16]);
        let here = self.rules.binds && said == Some(ntlm::binding(&END_POINT));
        let may = match self.rules.protection {
            ExtendedProtection::None | ExtendedProtection::Audit => true,
            ExtendedProtection::Allow => said.is_none() || here,
            ExtendedProtection::Require => here,
        };
        may.then_some(())
    }
}

/// MsvAvFlags, which are 32 bits where they are there.
fn bits(pairs: &[(u16, &[u8])]) -> Option<u32> {
    match ntlm::value(pairs, pair::FLAGS) {
        Some(flags) => Some(u32::from_le_bytes(flags.try_into().ok()?)),
        None => Some(0),
    }
}
