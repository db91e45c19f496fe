//! Servers that answer without end: a login is told of trouble in time, and the memory that it took
//! in the meantime has a bound.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the servers are ours, and time and memory are what is tested"
)]

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::sleep;
use std::time::Instant;

use super::fake::{Asked, BIND, Fake, SEARCH, message, request, tagged, well};
use super::*;
use crate::ldap::bounds::{DEEPEST, MOST_OCTETS};

/// Long enough for a server that sends without end to fill the memory.
const DEADLINE: Duration = Duration::from_secs(3);
/// What a flood stops at, so that a test that fails does not take the machine along.
const FLOOD: usize = 512 << 20;

/// Logs in at a server that answers binds, and then does `answer` to the first search. Gives how long
/// it took, and by how much the most memory that was ever in use rose, in MiB.
async fn login(answer: impl Fn(&mut TcpStream, &Asked) + Send + Sync + 'static) -> (Duration, u64) {
    let fake = Fake::serving(move |mut stream| {
        while let Some(asked) = request(&mut stream) {
            match asked.operation {
                SEARCH => answer(&mut stream, &asked),
                _ => stream
                    .write_all(&message(&asked.number, &well(asked.operation)))
                    .unwrap_or_default(),
            }
        }
    });
    let mut settings = settings(std::slice::from_ref(&fake.url));
    settings.timeout = DEADLINE;
    let directory = directory(settings);
    let (before, begun) = (peak(), Instant::now());
    let verdict = directory.login("alice", "right").await;
    let took = begun.elapsed();
    assert_eq!(verdict, Err(Unavailable::Trouble));
    assert_eq!(directory.servers.each()[0].open_connections(), (0, 0));
    (took, peak() - before)
}

/// The most memory that was ever in use, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib / 1024
}

/// Sends until the other side is gone. Says how much it was.
fn flood(stream: &mut TcpStream, octets: &[u8]) -> usize {
    let mut sent = 0;
    while sent < FLOOD && stream.write_all(octets).is_ok() {
        sent += octets.len();
    }
    sent
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_at_its_length() {
    let (took, rose) = login(|stream, asked| {
        let head = [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], &asked.number].concat();
        let _ = stream.write_all(&head);
        flood(stream, &[0x04; 1 << 16]);
    })
    .await;
    assert!(took < DEADLINE / 2 && rose < 32, "{took:?}, {rose} MiB");
}

#[tokio::test]
async fn deep_nesting_is_refused_before_anybody_descends() {
    let (took, _) = login(|stream, _| {
        let mut levels = Vec::new();
        for left in (0..100_000_u32).rev() {
            levels.extend([0x30, 0x84]);
            levels.extend((6 * left).to_be_bytes());
        }
        let _ = stream.write_all(&levels);
    })
    .await;
    assert!(took < DEADLINE / 2, "{took:?}");
    // As deep as it may be, it is no LDAP all the same.
    let (took, _) = login(|stream, _| {
        let inner = (1..DEEPEST).fold(tagged(0x30, &[]), |inner, _| tagged(0x30, &inner));
        let _ = stream.write_all(&inner);
    })
    .await;
    assert!(took < DEADLINE / 2, "{took:?}");
}

#[tokio::test]
async fn an_element_without_an_end_is_not_waited_for() {
    let (took, _) = login(|stream, asked| {
        // The value says that it is longer than the message that it is in.
        let entry = [&[0x64, 8, 0x04, 0x84][..], &[0x7f, 0xff, 0xff, 0xff, 0, 0]].concat();
        let _ = stream.write_all(&message(&asked.number, &entry));
    })
    .await;
    assert!(took < DEADLINE / 2, "{took:?}");
}

#[tokio::test]
async fn a_message_of_nothing_but_elements_takes_no_memory() {
    let (took, rose) = login(|stream, asked| {
        let mut octets = asked.number.to_vec();
        octets.extend([0x05, 0].repeat(MOST_OCTETS / 2 - 100));
        let mut whole = vec![0x30, 0x84];
        whole.extend(u32::try_from(octets.len()).unwrap().to_be_bytes());
        whole.extend(octets);
        let _ = stream.write_all(&whole);
    })
    .await;
    assert!(took < DEADLINE / 2 && rose < 32, "{took:?}, {rose} MiB");
}

/// Entries beyond the limit of the search, references, and answers to what nobody asked.
#[tokio::test]
async fn a_stream_of_messages_without_an_end_is_cut_off() {
    let entry = tagged(0x64, &[tagged(0x04, b"uid=x"), tagged(0x30, &[])].concat());
    let reference = tagged(0x73, &tagged(0x04, b"ldap://127.0.0.1:9/"));
    for (operation, ours) in [(entry.clone(), true), (reference, true), (entry, false)] {
        let (took, rose) = login(move |stream, asked| {
            let mut number = asked.number;
            number[2] += u8::from(!ours);
            flood(stream, &message(&number, &operation).repeat(1000));
        })
        .await;
        assert!(took < DEADLINE / 2 && rose < 32, "{took:?}, {rose} MiB");
    }
}

#[tokio::test]
async fn a_slow_drip_ends_with_the_deadline() {
    let (took, rose) = login(|stream, asked| {
        let head = [&[0x30, 0x82, 0x40, 0x00][..], &asked.number].concat();
        let _ = stream.write_all(&head);
        while stream.write_all(&[0x04]).is_ok() {
            sleep(Duration::from_millis(20));
        }
    })
    .await;
    assert!(
        took >= DEADLINE && took < DEADLINE * 2 && rose < 32,
        "{took:?}, {rose} MiB"
    );
}

/// A connection that waits in the pool is read from all the same.
#[tokio::test]
async fn a_flood_between_two_questions_ends_the_connection() {
    let (tell, told) = mpsc::channel();
    let fake = Fake::serving(move |mut stream| {
        while let Some(asked) = request(&mut stream) {
            let _ = stream.write_all(&message(&asked.number, &well(asked.operation)));
            if asked.operation == SEARCH {
                // After the answer has been taken.
                sleep(Duration::from_millis(200));
                let nobodys = message(&[0x02, 1, 99], &well(BIND)).repeat(1000);
                let _ = tell.send(flood(&mut stream, &nobodys));
            }
        }
    });
    let directory = directory(settings(std::slice::from_ref(&fake.url)));
    let before = peak();
    assert!(directory.account("alice").await.unwrap().is_none());
    let sent = tokio::task::spawn_blocking(move || told.recv_timeout(WITHIN));
    let sent = sent.await.unwrap().unwrap();
    // What the kernel holds on the way comes on top.
    assert!(sent < MOST_OCTETS + (16 << 20), "{sent}");
    assert!(peak() - before < 32);
    // The next question goes over a new connection.
    assert!(directory.account("alice").await.unwrap().is_none());
    assert!(fake.connections() >= 2);
}
