//! `postern doctor` on a member of a real domain: winbind is well, not reachable for the server's user, or gone.

use std::fs;

use crate::house::House;
use crate::lab::daemon::until;
use crate::lab::tool::Tool;

/// What the doctor says of winbind, run on the member.
fn winbind(house: &House) -> String {
    let member = house.domain.member();
    let (program, words) = member.split_first().expect("a program");
    let mut tool = Tool::new(&house.lab, program);
    for word in words {
        tool = tool.arg(word);
    }
    let tool = tool
        .arg(env!("CARGO_BIN_EXE_postern"))
        .args(["doctor", "--config"]);
    let output = tool.arg(house.lab.path().join("postern.toml")).output();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<_> = said.lines().collect();
    let about = |(place, line): (usize, &&str)| {
        let above = lines
            .get(place.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        let of = |line: &str| line.get(6..13) == Some("winbind");
        of(line) || (line.contains("remedy: ") && of(above))
    };
    let found: Vec<_> = lines
        .iter()
        .enumerate()
        .filter(|&line| about(line))
        .map(|(_, line)| *line)
        .collect();
    assert!(
        !found.is_empty(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    found.join("\n")
}

#[test]
fn winbind_is_well_or_its_trouble_is_named() {
    let house = House::open(&[("winbind.deadline", r#""4s""#)]);
    let said = winbind(&house);
    for words in [
        "ok    winbind        checking the trust secret",
        "does not exist",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("FAIL"), "{said}");
    house
        .domain
        .on_member(&["chmod", "700", "/var/lib/samba/winbindd_privileged"]);
    let said = winbind(&house);
    for words in [
        "FAIL  winbind",
        "cannot reach winbind's privileged pipe",
        "usermod -aG",
    ] {
        assert!(said.contains(words), "{said}");
    }
    house
        .domain
        .on_member(&["chmod", "750", "/var/lib/samba/winbindd_privileged"]);
    house.domain.on_controller(&["sh", "-c", "kill -STOP -1"]);
    let said = winbind(&house);
    house.domain.on_controller(&["sh", "-c", "kill -CONT -1"]);
    assert!(said.contains("FAIL  winbind"), "{said}");
    house
        .domain
        .on_member(&["smbcontrol", "winbindd", "shutdown"]);
    until("winbindd to be gone", || {
        let listed = house.domain.on_member(&["ps", "-e", "-o", "comm="]);
        (!String::from_utf8_lossy(&listed.stdout).contains("winbindd")).then_some(())
    });
    let said = winbind(&house);
    for words in ["FAIL  winbind", "winbindd runs"] {
        assert!(said.contains(words), "{said}");
    }
}

/// Without a word in krb5.conf the controllers are found by the domain's own records of services.
#[test]
fn controllers_are_found_by_dns_and_their_clock_is_read() {
    let house = House::open(&[]);
    let keytab = house.lab.path().join("ad/pop.keytab");
    let keytab = house
        .lab
        .write("pop.keytab", fs::read(keytab).expect("a keytab"));
    house.lab.give(&keytab);
    let text = fs::read_to_string(house.lab.path().join("postern.toml")).expect("a configuration");
    let section = format!("{text}\n[gssapi]\nkeytab = {keytab:?}\n");
    let configuration = house.lab.write("doctor.toml", section);
    let run = "KRB5_CONFIG=/dev/null \"$0\" doctor --config \"$1\" || true";
    let configuration = configuration.to_str().expect("a plain path");
    let program = env!("CARGO_BIN_EXE_postern");
    let output = house
        .domain
        .on_member(&["sh", "-c", run, program, configuration]);
    let said = String::from_utf8_lossy(&output.stdout);
    for words in [
        "ok    kdc            dc.ad.example.test:88 of AD.EXAMPLE.TEST answers",
        "the clock of the KDC dc.ad.example.test:88",
    ] {
        assert!(said.contains(words), "missing: {words}\nin:\n{said}");
    }
}
