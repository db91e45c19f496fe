//! Columns, dates and files, with the clock handed in.
#![expect(
    clippy::disallowed_methods,
    reason = "these tests look at the files of the log"
)]

use std::cell::Cell;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::files::Files;
use super::record::{Record, command};
use crate::calendar::Moment;
use crate::config::{Period, ProtocolLog, Rolling};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn text(seconds: u64) -> String {
    Moment::of(at(seconds)).text()
}

#[test]
fn dates_are_those_of_the_calendar() {
    // Each from `date -u -d @SECONDS`.
    assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(text(951_782_399), "2000-02-28T23:59:59.000Z");
    assert_eq!(text(951_782_400), "2000-02-29T00:00:00.000Z");
    assert_eq!(text(951_868_800), "2000-03-01T00:00:00.000Z");
    assert_eq!(text(1_330_473_600), "2012-02-29T00:00:00.000Z");
    assert_eq!(text(1_704_067_199), "2023-12-31T23:59:59.000Z");
    assert_eq!(text(1_709_164_800), "2024-02-29T00:00:00.000Z");
    assert_eq!(text(1_735_603_200), "2024-12-31T00:00:00.000Z");
    assert_eq!(text(4_107_542_400), "2100-03-01T00:00:00.000Z");
    let with_millis = at(1_331_241_962) + Duration::from_millis(937);
    assert_eq!(Moment::of(with_millis).text(), "2012-03-08T21:26:02.937Z");
}

#[test]
fn periods_begin_at_the_hour_midnight_monday_and_the_first() {
    // A Thursday.
    let moment = Moment::of(at(1_331_241_962));
    assert_eq!(moment.period(Period::Hourly), "2012030821");
    assert_eq!(moment.period(Period::Daily), "20120308");
    assert_eq!(moment.period(Period::Weekly), "20120305");
    assert_eq!(moment.period(Period::Monthly), "201203");
    let monday = Moment::of(at(1_330_905_600));
    assert_eq!(monday.period(Period::Weekly), "20120305");
    let sunday = Moment::of(at(1_330_905_599));
    assert_eq!(sunday.period(Period::Weekly), "20120227");
}

fn shown(line: &[u8]) -> (String, String) {
    command(line)
}

fn both(command: &str, parameters: &str) -> (String, String) {
    (command.to_owned(), parameters.to_owned())
}

#[test]
fn a_command_shows_what_the_table_of_verbs_permits() {
    assert_eq!(shown(b"RETR 1"), both("retr", "1"));
    assert_eq!(shown(b"quit"), both("quit", ""));
    assert_eq!(shown(b"USER ann@x.test"), both("user", "ann@x.test"));
    assert_eq!(shown(b"PASS correct horse"), both("pass", "*****"));
    assert_eq!(shown(b"AUTH PLAIN AGEAYg=="), both("auth", "*****"));
    assert_eq!(shown(b"correct horse"), both("", "*****"));
    assert_eq!(shown(b""), both("", "*****"));
}

#[test]
fn a_name_forges_neither_column_nor_line_nor_formula() {
    let name = |name: &[u8]| shown(&[b"USER ", name].concat()).1;
    assert_eq!(name(b"a\"b,c"), "\"a\"\"b,c\"");
    assert_eq!(name(b"a\rb\nc\0\x1b[31m"), "a\\x0db\\x0ac\\x00\\x1b[31m");
    assert_eq!(name("j\u{fc}rgen".as_bytes()), "j\u{fc}rgen");
    assert_eq!(name(b"\xff\xfe"), "\\xff\\xfe");
    assert_eq!(
        name("a\u{202e}b\u{2028}\u{85}".as_bytes()),
        "a\\u{202e}b\\u{2028}\\x85"
    );
    assert_eq!(name(b"=1+1"), "\\x3d1+1");
    assert_eq!(name(b"CORP\\ann"), "CORP\\ann");
}

#[test]
fn a_record_has_the_form_of_exchange() {
    let mut record = Record {
        time: at(1_331_241_962),
        session: 2,
        number: 1,
        server: "192.0.2.1:110".parse().ok(),
        client: "[2001:db8::1]:4000".parse().ok(),
        user: "ann",
        duration: Duration::from_micros(46_900),
        request: 23,
        reply: 5,
        command: &command(b"USER joe@sixpack.com"),
        status: b"+OK",
    };
    assert_eq!(
        record.line(),
        "2012-03-08T21:26:02.000Z,0000000000000002,1,192.0.2.1:110,[2001:db8::1]:4000,ann,46,23,5,user,joe@sixpack.com,R=ok\r\n"
    );
    record.status = b"-ERR Server Unavailable. 21";
    assert!(
        record
            .line()
            .ends_with(",\"R=\"\"-ERR Server Unavailable. 21\"\"\"\r\n")
    );
    record.status = b"+ c2VjcmV0";
    assert!(record.line().ends_with(",\"R=\"\"+\"\"\"\r\n"));
}

fn settings(folder: &Path, rolling: Rolling) -> ProtocolLog {
    let folder = folder.to_owned();
    ProtocolLog { folder, rolling }
}

/// The names of the files, and how many records each has; each begins with one header.
fn files(folder: &Path) -> Vec<(String, usize)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o640);
            let text = fs::read_to_string(&path).unwrap();
            let (header, records) = text.split_at(text.find("context\r\n").unwrap() + 9);
            assert_eq!(header.lines().count(), 5, "{header}");
            assert!(header.lines().all(|line| line.starts_with('#')));
            assert!(!records.contains('#'), "{records}");
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, records.lines().count())
        })
        .collect();
    files.sort();
    files
}

fn named(files: &[(&str, usize)]) -> Vec<(String, usize)> {
    files
        .iter()
        .map(|(name, n)| ((*name).to_owned(), *n))
        .collect()
}

#[test]
fn time_begins_the_next_file() {
    let folder = tempfile::tempdir().unwrap();
    let time = Cell::new(1_331_251_199);
    let daily = settings(folder.path(), Rolling::Every(Period::Daily));
    let mut log = Files::open(&daily, || at(time.get())).unwrap();
    log.write_all(b"one\r\n").unwrap();
    log.write_all(b"two\r\n").unwrap();
    time.set(time.get() + 1);
    log.write_all(b"three\r\n").unwrap();
    // A restart goes on with the file that is there.
    let mut log = Files::open(&daily, || at(time.get())).unwrap();
    log.write_all(b"four\r\n").unwrap();
    let expected = [("POP320120308-1.LOG", 2), ("POP320120309-1.LOG", 2)];
    assert_eq!(files(folder.path()), named(&expected));
}

#[test]
fn size_begins_the_next_file_and_time_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let time = Cell::new(1_331_241_962);
    let sized = settings(folder.path(), Rolling::AtSize(400));
    let mut log = Files::open(&sized, || at(time.get())).unwrap();
    let record = [b"x".repeat(98), b"\r\n".to_vec()].concat();
    log.write_all(&record).unwrap();
    time.set(time.get() + 86_400);
    for _ in 0..2 {
        log.write_all(&record).unwrap();
    }
    for (name, records) in files(folder.path()) {
        let size = fs::metadata(folder.path().join(&name)).unwrap().len();
        assert!(size <= 400, "{name} has {size} octets");
        assert!(records > 0, "{name} is empty");
    }
    let names: Vec<_> = files(folder.path())
        .into_iter()
        .map(|file| file.0)
        .collect();
    assert_eq!(names, ["POP320120308-1.LOG", "POP320120309-1.LOG"]);
    for _ in 0..2 {
        log.write_all(&record).unwrap();
    }
    assert!(folder.path().join("POP320120309-2.LOG").exists());
    // A record that fits nowhere has a file to itself, instead of files without end.
    log.write_all(&[b'y'; 1000]).unwrap();
    log.write_all(&record).unwrap();
    assert!(folder.path().join("POP320120309-4.LOG").exists());
}

#[test]
fn unlimited_is_one_file_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let time = Cell::new(1_331_241_962);
    let never = settings(folder.path(), Rolling::Never);
    let mut log = Files::open(&never, || at(time.get())).unwrap();
    for _ in 0..100 {
        log.write_all(&[b'x'; 100]).unwrap();
        log.write_all(b"\r\n").unwrap();
        time.set(time.get() + 40 * 86_400);
    }
    assert_eq!(files(folder.path()), named(&[("POP3-1.LOG", 100)]));
}

#[test]
fn trouble_costs_records_and_ends_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let time = Cell::new(0);
    let daily = settings(&gone, Rolling::Every(Period::Daily));
    let error = Files::open(&daily, || at(time.get())).err().unwrap();
    assert!(error.to_string().contains("give it to the service user"));
    fs::create_dir(&gone).unwrap();
    let mut log = Files::open(&daily, || at(time.get())).unwrap();
    fs::remove_dir_all(&gone).unwrap();
    time.set(86_400);
    log.write_all(b"lost\r\n").unwrap();
    fs::create_dir(&gone).unwrap();
    log.write_all(b"kept\r\n").unwrap();
    assert_eq!(files(&gone), named(&[("POP319700102-1.LOG", 1)]));
}
