//! Dovecot as the mail server: IMAP, POP3 and LMTP on free ports, with the capabilities that a test wants it to have.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::peer::present;
use super::process::{self, Daemon};

/// How often it is started again when another program took one of its ports meanwhile.
const STARTS: u32 = 5;
/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// Prints the marks of each message of a folder: `subject: marks`.
const MARKS: &str = r#"
there = imap.select('"FOLDER"', readonly=True)[0] == 'OK'
for number in imap.search(None, 'ALL')[1][0].split() if there else []:
    data = imap.fetch(number, '(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1]
    if not isinstance(data[0], tuple):
        continue
    subject = data[0][1].decode().strip().removeprefix('Subject: ')
    flags = re.search(rb'FLAGS \(([^)]*)\)', b' '.join(p if isinstance(p, bytes) else p[0] for p in data)).group(1).decode()
    print(subject + ': ' + ' '.join(sorted(f for f in flags.split() if f != '\\Recent')))
"#;

/// A running Dovecot with the users that it was started with; each one's password is the name with `-pw`.
pub(crate) struct Dovecot {
    pub(crate) imap: u16,
    pub(crate) imaps: u16,
    pub(crate) pop3: u16,
    pub(crate) lmtp: u16,
    owner: (String, String),
    _daemon: Daemon,
    folder: TempDir,
}

impl Dovecot {
    /// Starts it; `None` if it is not installed. `capability`: what IMAP offers, all that there is if `None`.
    pub(crate) fn start(users: &[&str], capability: Option<&str>) -> Option<Self> {
        let programs = [
            "dovecot",
            "/usr/lib/dovecot/lmtp",
            "/usr/lib/dovecot/pop3",
            "openssl",
            "python3",
        ];
        if !present("Dovecot", &programs) {
            return None;
        }
        let started = (0..STARTS).find_map(|_| Self::try_start(users, capability));
        Some(started.expect("Dovecot finds free ports"))
    }

    fn try_start(users: &[&str], capability: Option<&str>) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let [imap, imaps, pop3, lmtp] = free_ports();
        for name in ["base", "mail", "log"] {
            fs::create_dir(root.join(name)).expect("a folder");
        }
        certificate(root);
        let owner = owner(root);
        let (uid, gid) = &owner;
        let passwords: Vec<String> = users
            .iter()
            .map(|user| {
                let home = root.join("mail").join(user);
                format!(
                    "{user}:{{PLAIN}}{user}-pw:{uid}:{gid}::{}::\n",
                    home.display()
                )
            })
            .collect();
        fs::write(root.join("users"), passwords.concat()).expect("written");
        let configuration = configuration(root, [imap, imaps, pop3, lmtp], capability);
        fs::write(root.join("dovecot.conf"), configuration).expect("written");
        let log = fs::File::create(root.join("stderr.log")).expect("a log");
        let mut command = Command::new("dovecot");
        command.arg("-F").arg("-c").arg(root.join("dovecot.conf"));
        let daemon = Daemon::start(&mut command, log);
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            let up = [imap, imaps, pop3, lmtp]
                .iter()
                .all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok());
            if up {
                return Some(Self {
                    imap,
                    imaps,
                    pop3,
                    lmtp,
                    owner,
                    _daemon: daemon,
                    folder,
                });
            }
            let said = fs::read_to_string(root.join("log/dovecot.log")).unwrap_or_default();
            if said.contains("Fatal") || said.contains("Address already in use") {
                eprintln!("Dovecot did not start:\n{said}");
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Puts so many messages into a user's inbox before anybody looks at it, each of 2 KB.
    pub(crate) fn fill(&self, user: &str, count: usize) {
        let maildir = self.folder.path().join("mail").join(user).join("Maildir");
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(name)).expect("a folder");
        }
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("a time")
            .as_secs();
        let text = "Lorem ipsum dolor sit amet, consetetur sadipscing elitr.\r\n".repeat(40);
        for number in 0..count {
            let message = format!(
                "From: Someone <someone@example.org>\r\nTo: {user}@example.org\r\nSubject: number {number}\r\n\
                 Date: Thu, 05 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{number}.{user}@fill>\r\n\r\n{text}"
            );
            // The order of names is that of UIDs.
            let time = now - (count - number) as u64;
            let path = maildir.join(format!("new/{time}.M{number:06}.fill"));
            fs::write(path, message).expect("written");
        }
        give(&self.folder.path().join("mail").join(user), &self.owner);
    }

    /// Makes a folder one that Dovecot cannot use, or can again.
    pub(crate) fn lock(&self, user: &str, folder: &str, locked: bool) {
        use std::os::unix::fs::PermissionsExt as _;
        let maildir = self.folder.path().join("mail").join(user).join("Maildir");
        for name in ["cur", "new", "tmp"] {
            let path = maildir.join(format!(".{folder}")).join(name);
            let mode = if locked { 0 } else { 0o700 };
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a folder");
        }
    }

    /// The certificate that it shows.
    pub(crate) fn certificate(&self) -> String {
        self.folder.path().join("cert.pem").display().to_string()
    }

    /// Hands a message over by LMTP; comes back when Dovecot has it.
    pub(crate) fn deliver(&self, user: &str, message: &str) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), message).expect("written");
        let script = "import smtplib, sys\nwith smtplib.LMTP('127.0.0.1', int(sys.argv[1])) as lmtp:\n    \
                      lmtp.sendmail('s@example.org', [sys.argv[2]], open(sys.argv[3], 'rb').read())\n";
        let path = file.path().display().to_string();
        self.python(script, &[&self.lmtp.to_string(), user, &path]);
    }

    /// Runs a script of Python's IMAP client, which has `imap` logged in as the user; gives what it prints.
    pub(crate) fn imaplib(&self, user: &str, script: &str) -> String {
        let head = "import imaplib, sys, re\nimap = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))\n\
                    imap.login(sys.argv[2], sys.argv[2] + '-pw')\n";
        self.python(&format!("{head}{script}"), &[&self.imap.to_string(), user])
    }

    /// What an independent client sees of a folder: subject and marks of each message.
    pub(crate) fn marks(&self, user: &str, folder: &str) -> Vec<String> {
        let text = self.imaplib(user, &MARKS.replace("FOLDER", folder));
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    fn python(&self, script: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("python3");
        command.arg("-c").arg(script).args(arguments);
        let ended = process::run(&mut command, LIMIT);
        let log = || fs::read_to_string(self.folder.path().join("log/dovecot.log"));
        assert!(
            ended.success(),
            "{}\n--- Dovecot:\n{}",
            ended.text,
            log().unwrap_or_default()
        );
        ended.text
    }
}

fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

fn certificate(root: &Path) {
    let mut command = Command::new("openssl");
    command.current_dir(root).args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]);
    let ended = process::run(&mut command, LIMIT);
    assert!(ended.success(), "{}", ended.text);
}

/// Who has the mail: Dovecot takes none of root's. The folders are given to them.
fn owner(root: &Path) -> (String, String) {
    let id = |arguments: &[&str]| {
        let mut command = Command::new("id");
        command.args(arguments);
        process::run(&mut command, LIMIT).text.trim().to_owned()
    };
    if id(&["-u"]) != "0" {
        return (id(&["-u"]), id(&["-g"]));
    }
    let (uid, gid) = (id(&["-u", "nobody"]), id(&["-g", "nobody"]));
    let mut command = Command::new("chown");
    command.arg(format!("{uid}:{gid}")).arg(root.join("mail"));
    process::run(&mut command, LIMIT);
    let mut command = Command::new("chmod");
    command.arg("711").arg(root).arg(root.join("base"));
    process::run(&mut command, LIMIT);
    (uid, gid)
}

/// Gives a folder and all in it to whoever has the mail.
fn give(path: &Path, (uid, gid): &(String, String)) {
    let mut command = Command::new("chown");
    command.arg("-R").arg(format!("{uid}:{gid}")).arg(path);
    let ended = process::run(&mut command, LIMIT);
    assert!(ended.success(), "{}", ended.text);
}

fn configuration(root: &Path, ports: [u16; 4], capability: Option<&str>) -> String {
    let [imap, imaps, pop3, lmtp] = ports;
    let root = root.display();
    let capability = capability.map_or_else(String::new, |capability| {
        format!("protocol imap {{\n  imap_capability = {capability}\n}}\n")
    });
    format!(
        "base_dir = {root}/base
state_dir = {root}/base
instance_name = test-{imap}
protocols = imap lmtp pop3
listen = 127.0.0.1
log_path = {root}/log/dovecot.log
auth_mechanisms = plain login
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mailbox_list_index = yes
auth_failure_delay = 0
mail_max_userip_connections = 4000
imap_idle_notify_interval = 2 mins
mailbox_idle_check_interval = 5 secs
postmaster_address = postmaster@localhost
hostname = localhost
{capability}passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {root}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {root}/users
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Trash {{
    auto = subscribe
    special_use = \\Trash
  }}
  mailbox Work {{
    auto = create
  }}
}}
default_client_limit = 8000
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  client_limit = 4000
  process_limit = 8
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 4000
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service stats {{
  chroot =
}}
service auth {{
  user = {auth}
}}
",
        auth = if is_root() {
            "root"
        } else {
            "$default_internal_user"
        },
    )
}

fn is_root() -> bool {
    let mut command = Command::new("id");
    command.arg("-u");
    process::run(&mut command, LIMIT).text.trim() == "0"
}
