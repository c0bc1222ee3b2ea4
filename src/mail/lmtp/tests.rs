use std::sync::Mutex;

use super::*;

/// Takes mail for a@x and b@x; what is for `full@x` comes later.
#[derive(Default)]
struct Taken(Mutex<Vec<(String, Vec<u8>)>>, Mutex<Vec<String>>);

impl Deliver for Taken {
    fn knows(&self, address: &str) -> Result<bool, String> {
        Ok(["a@x", "b@x", "full@x", "\"a>b\"@x"].contains(&address))
    }

    fn deliver(&self, sender: &str, recipients: &[String], message: &[u8]) -> Vec<Verdict> {
        self.1.lock().expect("whole").push(sender.to_owned());
        let mut taken = self.0.lock().expect("whole");
        recipients
            .iter()
            .map(|recipient| {
                if recipient == "full@x" {
                    return Verdict::Later("the disk\r\nis full".into());
                }
                taken.push((recipient.clone(), message.to_vec()));
                Verdict::Delivered
            })
            .collect()
    }
}

/// Says these octets, and gives what is answered until the end.
async fn dialogue(octets: &[u8]) -> (Vec<String>, Vec<(String, Vec<u8>)>) {
    let taken = Arc::new(Taken::default());
    let listener = Listener::start("127.0.0.1:0", 1000, taken.clone())
        .await
        .expect("a port");
    let mut stream = TcpStream::connect(listener.address())
        .await
        .expect("connected");
    stream.write_all(octets).await.expect("sent");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("answers");
    let taken = std::mem::take(&mut *taken.0.lock().expect("whole"));
    (answers.lines().map(str::to_owned).collect(), taken)
}

fn codes(answers: &[String]) -> Vec<&str> {
    answers.iter().map(|line| &line[..4]).collect()
}

#[tokio::test]
async fn each_recipient_has_an_answer_of_its_own() {
    let (answers, taken) = dialogue(
        b"LHLO me\r\nMAIL FROM:<s@y> SIZE=100 BODY=8BITMIME\r\nRCPT TO:<a@x>\r\nRCPT TO:<c@x>\r\nRCPT TO:<full@x>\r\n\
          RCPT TO:<@relay:b@x>\r\nDATA\r\nSubject: a\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
    )
    .await;
    assert_eq!(
        codes(&answers),
        [
            "220 ", "250-", "250-", "250-", "250-", "250 ", "250 ", "250 ", "550 ", "250 ", "250 ",
            "354 ", "250 ", "451 ", "250 ", "221 "
        ]
    );
    assert!(
        answers[13].ends_with("the disk  is full"),
        "{}",
        answers[13]
    );
    let message = b"Subject: a\r\n\r\n.dot\r\n".to_vec();
    assert_eq!(
        taken,
        [
            ("a@x".to_owned(), message.clone()),
            ("b@x".to_owned(), message)
        ]
    );
}

#[tokio::test]
async fn a_bare_line_feed_ends_no_message() {
    let (answers, taken) = dialogue(
        b"LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\nDATA\r\nA: b\r\n\r\nx\n.\nMAIL FROM:<evil@y>\r\n.\r\nQUIT\r\n",
    )
    .await;
    assert_eq!(answers.last().map(|line| &line[..3]), Some("221"));
    assert_eq!(taken.len(), 1);
    assert!(taken[0].1.ends_with(b"x\n.\nMAIL FROM:<evil@y>\r\n"));
}

#[tokio::test]
async fn what_is_too_large_is_refused_for_each_recipient_and_read_to_its_end() {
    let mut octets = b"LHLO me\r\nMAIL FROM:<> SIZE=2000\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n".to_vec();
    octets.extend_from_slice(&vec![b'x'; 100_000]);
    octets.extend_from_slice(b"\r\n.\r\nNOOP\r\nQUIT\r\n");
    let (answers, taken) = dialogue(&octets).await;
    assert_eq!(
        codes(&answers)[6..],
        [
            "552 ", "250 ", "250 ", "250 ", "354 ", "552 ", "552 ", "250 ", "221 "
        ]
    );
    assert!(taken.is_empty());
}

#[tokio::test]
async fn wrong_commands_are_counted_and_order_is_kept() {
    let (answers, _) = dialogue(
        b"EHLO me\r\nMAIL FROM:<>\r\nLHLO me\r\nRCPT TO:<a@x>\r\nDATA\r\nMAIL TO:<>\r\nMAIL FROM:<> X=Y\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\nDATA\r\nQUIT\r\n",
    )
    .await;
    let codes: Vec<_> = codes(&answers)
        .into_iter()
        .filter(|code| *code != "250-")
        .collect();
    assert_eq!(
        codes,
        [
            "220 ", "500 ", "503 ", "250 ", "503 ", "503 ", "501 ", "555 ", "250 ", "501 ", "503 ",
            "221 "
        ]
    );
    let mut long = vec![b'x'; 5000];
    long.extend_from_slice(b"\r\n");
    let (answers, _) = dialogue(&long.repeat(20)).await;
    assert_eq!(answers.len(), 22);
    assert!(answers[21].starts_with("421"), "{}", answers[21]);
}

#[test]
fn paths_are_read() {
    for (text, address, rest) in [
        ("TO:<a@b>", Some("a@b"), ""),
        ("to: <a@b> NOTIFY=NEVER", Some("a@b"), " NOTIFY=NEVER"),
        ("TO:<@r1,@r2:a@b>", Some("a@b"), ""),
        ("TO:<\"a>b\"@x>", Some("\"a>b\"@x"), ""),
        ("TO:a@b", None, ""),
        ("TO:<a@b", None, ""),
        ("TÖ:<a@b>", None, ""),
        ("", None, ""),
    ] {
        let found = path(text, "TO:");
        assert_eq!(
            found.as_ref().map(|(address, _)| &**address),
            address,
            "{text}"
        );
        assert_eq!(found.map_or("", |(_, rest)| rest), rest, "{text}");
    }
}

#[tokio::test]
async fn the_sender_of_each_envelope_is_told() {
    let taken = Arc::new(Taken::default());
    let listener = Listener::start("127.0.0.1:0", 1000, taken.clone())
        .await
        .expect("a port");
    let mut stream = TcpStream::connect(listener.address())
        .await
        .expect("connected");
    let mut said = b"LHLO me\r\n".to_vec();
    for sender in ["s@y", "", "@relay:t@y"] {
        said.extend(
            format!("MAIL FROM:<{sender}>\r\nRCPT TO:<a@x>\r\nDATA\r\nA: b\r\n.\r\n").bytes(),
        );
    }
    said.extend(b"QUIT\r\n");
    stream.write_all(&said).await.expect("sent");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("answers");
    assert_eq!(
        *taken.1.lock().expect("whole"),
        ["s@y", "", "t@y"],
        "{answers}"
    );
}
