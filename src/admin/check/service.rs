//! Who the server will be.

use crate::admin::service::{self, Service};
use crate::config::{Config, Finding};

/// Says what is wrong with `user` and `group`, and becomes them if started as root.
pub(in crate::admin) fn check(config: &Config, findings: &mut Vec<Finding>) {
    let root = service::is_root();
    let Some(run_as) = &config.run_as else {
        if root {
            let finding = Finding::warning(
                "started as root, the server would refuse to run, because no `user` is set",
                "set user = \"postern\", or let systemd start it as another user (User=)",
            );
            findings.push(finding.key("user"));
        }
        return;
    };
    let service = match Service::find(run_as) {
        Ok(service) => service,
        Err(problem) => {
            let remedy = "make it, for instance with `useradd --system --user-group postern`";
            findings.push(Finding::error(problem, remedy).key("user"));
            return;
        }
    };
    if root {
        if let Err(problem) = service.assume() {
            let remedy = "run the check as that user: sudo -u USER postern check";
            findings.push(Finding::warning(problem, remedy).key("user"));
        }
    } else if !service.is_me() {
        let finding = Finding::warning(
            format!(
                "files are looked at with your rights, not with those of {:?}",
                run_as.user
            ),
            "run the check as root",
        );
        findings.push(finding.key("user"));
    }
}
