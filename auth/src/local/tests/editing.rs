//! Changes of one user that leave everything else as it stands.

use super::*;
use crate::{Secret, hash_password};

#[test]
fn changing_one_user_leaves_the_rest_as_it_stands() {
    let desk = desk(COMMENTED);
    let mut file = UsersFile::edit(&desk.path).unwrap();
    let mut alice = file.find("ALICE").unwrap().clone();
    alice.password = Some(hash_password(&Secret::new(b"x".to_vec())).unwrap());
    alice.site = Some("London".to_owned());
    file.update(&alice).unwrap();
    let mut carol = User::new("carol");
    carol.aliases = vec!["CORP\\carol".to_owned()];
    file.add(&carol).unwrap();
    file.save().unwrap();
    let hash = alice.password.as_ref().unwrap().as_str();
    let expected = COMMENTED.replace(
        "# on leave\n",
        &format!("# on leave\npassword = \"{hash}\"\nsite = \"London\"\n"),
    ) + "\n[[user]]\nname = \"carol\"\naliases = ['CORP\\carol']\n";
    assert_eq!(std::fs::read_to_string(&desk.path).unwrap(), expected);
    assert_eq!(UsersFile::load(&desk.path).unwrap().users()[0], alice);

    alice.pop3 = true;
    file.update(&alice).unwrap();
    let bob = file.remove("Bob").unwrap();
    assert_eq!((bob.name.as_str(), bob.disabled), ("bob", true));
    file.save().unwrap();
    let text = std::fs::read_to_string(&desk.path).unwrap();
    assert!(
        text.starts_with("# The staff.\n\n# Alice leads.\n[[user]]\nname = \"alice\" # the boss\n")
    );
    assert!(
        !text.contains("bob") && text.contains("carol") && !text.contains("pop3"),
        "{text}"
    );
}

#[test]
fn comments_about_more_than_one_user_outlive_the_user_below_them() {
    for order in [["alice", "bob"], ["bob", "alice"]] {
        let desk = desk(COMMENTED);
        let mut file = UsersFile::edit(&desk.path).unwrap();
        for name in order {
            file.remove(name).unwrap();
        }
        file.save().unwrap();
        let text = std::fs::read_to_string(&desk.path).unwrap();
        assert!(text.starts_with("# The staff.\n"), "{text}");
        assert!(!text.contains("Alice") && !text.contains("Bob"), "{text}");
    }
}

#[test]
fn a_change_that_would_be_a_mistake_changes_nothing() {
    let desk = desk(COMMENTED);
    let mut file = UsersFile::edit(&desk.path).unwrap();
    assert!(matches!(
        file.add(&User::new("BOB")),
        Err(UsersError::Exists { .. })
    ));
    let mut twin = User::new("carol");
    twin.aliases = vec!["Bob".to_owned()];
    assert!(matches!(file.add(&twin), Err(UsersError::User { .. })));
    assert!(matches!(
        file.add(&User::new("../x")),
        Err(UsersError::User { .. })
    ));
    assert!(matches!(
        file.update(&User::new("nobody")),
        Err(UsersError::NoSuchUser { .. })
    ));
    assert!(matches!(
        file.remove("nobody"),
        Err(UsersError::NoSuchUser { .. })
    ));
    assert_eq!(file.users().len(), 2);
    file.save().unwrap();
    assert_eq!(std::fs::read_to_string(&desk.path).unwrap(), COMMENTED);
}

#[test]
fn two_who_edit_at_the_same_time_lose_nothing() {
    let desk = desk("");
    std::thread::scope(|scope| {
        for number in 0..20 {
            let path = &desk.path;
            scope.spawn(move || {
                let mut file = UsersFile::edit(path).unwrap();
                file.add(&User::new(format!("user{number}"))).unwrap();
                file.save().unwrap();
            });
        }
    });
    assert_eq!(UsersFile::load(&desk.path).unwrap().users().len(), 20);
}

#[test]
fn who_looked_without_the_lock_cannot_write_over_a_change() {
    let desk = desk(COMMENTED);
    let mut slow = UsersFile::load(&desk.path).unwrap();
    write(&desk.path, "[[user]]\nname = \"somebody\"\n");
    slow.remove("bob").unwrap();
    assert!(matches!(slow.save(), Err(UsersError::Changed { .. })));
    assert!(
        std::fs::read_to_string(&desk.path)
            .unwrap()
            .contains("somebody")
    );
}

#[test]
fn users_in_one_inline_array_can_be_read_but_not_edited() {
    let desk = desk("user = [{ name = \"a\" }]");
    let mut file = UsersFile::load(&desk.path).unwrap();
    assert_eq!(file.users().len(), 1);
    assert!(matches!(
        file.add(&User::new("b")),
        Err(UsersError::Inline { .. })
    ));
}
