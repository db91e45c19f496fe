//! The commands of `docs/kerberos.md`, run as they stand there.

use std::fs;

use crate::lab::domain::Domain;
use crate::lab::kerberos::Realm;
use crate::lab::realm::repository;
use crate::lab::world::Lab;
use crate::scene::{Scene, give_keytab};

/// The lines below this heading of the page that a root would type.
fn commands(heading: &str) -> Vec<String> {
    let page = fs::read_to_string(repository("docs/kerberos.md")).expect("the page");
    let (_, rest) = page
        .split_once(&format!("\n{heading}\n"))
        .expect("a heading");
    let section = rest.split("\n##").next().unwrap_or_default();
    let lines = section.lines().filter_map(|line| line.strip_prefix("# "));
    let lines: Vec<_> = lines.map(str::to_owned).collect();
    assert!(!lines.is_empty(), "no commands under {heading:?}");
    lines
}

/// Runs them where `/etc/postern` is a folder of the realm.
fn run(realm: &Realm, inside: &str, commands: &[String]) {
    let folder = realm.path("page");
    fs::create_dir_all(&folder).expect("a folder");
    let place = folder.display().to_string();
    for command in commands {
        let command = command.replace("/etc/postern", &place);
        realm.does(
            &[inside],
            &["sh", "-c", &format!("cd {place} && {command}")],
        );
    }
}

#[test]
fn a_key_of_an_mit_kdc_and_the_next_one() {
    let realm = Realm::start();
    // The page makes what this realm has already.
    let gone = "kadmin.local delprinc pop/mail.example.test";
    run(&realm, "enter", &[gone.to_owned()]);
    run(&realm, "enter", &commands("### MIT Kerberos"));
    let scene = Scene::of_keytab(realm, "page/pop.keytab");
    let asks = || scene.gssapi(&["pop@mail.example.test"]);
    assert!(asks().starts_with("+OK"));
    let [add, remove] = &commands("## New keys")[..] else {
        panic!("two commands for new keys")
    };
    run(&scene.realm, "enter", std::slice::from_ref(add));
    give_keytab(&scene.lab, &scene.realm, "page/pop.keytab");
    assert!(asks().starts_with("+OK"), "a ticket under the old key");
    scene.realm.kinit(&[], "alice");
    assert!(asks().starts_with("+OK"), "a ticket under the new one");
    run(&scene.realm, "enter", std::slice::from_ref(remove));
    give_keytab(&scene.lab, &scene.realm, "page/pop.keytab");
    assert!(asks().starts_with("+OK"), "without the old one");
}

#[test]
fn keys_of_an_active_directory_by_each_way_of_the_page() {
    let lab = Lab::new();
    let realm = Domain::start(&lab).realm();
    let gone = "samba-tool user delete svc-postern";
    run(&realm, "enter", &[gone.to_owned()]);
    run(&realm, "enter", &commands("#### The account"));
    run(
        &realm,
        "enter",
        &commands("#### Keys by Samba's controller"),
    );
    realm.kinit(&[], "alice");
    let scene = Scene::of_keytab(realm, "page/pop.keytab");
    assert!(scene.gssapi(&[]).starts_with("+OK"));
}
