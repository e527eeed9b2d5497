//! E-mail: a letter made of words, and the way it goes, by SMTP.

use std::{io::ErrorKind, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{PoolConfig, extension::ClientId},
};

use crate::{Failed, Why, bounce, template::Words};

/// Connections to the mail server at once.
pub const MAX_CONNECTIONS: u32 = 4;

/// How mail goes out of an install.
#[derive(Debug, Clone)]
pub struct Outlet {
    /// The server: `smtps://user:password@host:465`, or `smtp://host:587?tls=required` for STARTTLS.
    pub smtp: String,
    /// Whom it is from: `Three Rivers <whistle@example.org>`.
    pub from: String,
    /// The address that takes answers, without the token that is added to its local part; none where nobody reads them.
    pub reply: Option<String>,
    /// How long each step of a delivery may take. What a server takes and does not confirm by then is sent again.
    pub timeout: Duration,
}

impl Outlet {
    /// As long as a server may take that looks through a mail before it takes it.
    pub const TIMEOUT: Duration = Duration::from_secs(20);
}

/// One mail.
#[derive(Debug, Clone)]
pub struct Letter {
    /// To which address.
    pub to: String,
    /// What it says.
    pub words: Words,
    /// The same each time it is sent: what its Message-ID is made of. Letters, digits, dots and dashes.
    pub id: String,
    /// By which an answer is recognised; none where an answer leads nowhere.
    pub reply_token: Option<String>,
    /// By which a mail that comes back undelivered is recognised.
    pub bounce_token: Option<String>,
    /// Where a program can say, by a POST, that the reader wants no more (RFC 8058).
    pub stop: String,
}

/// Sends letters. Cloning shares the connections.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    reply: Option<Address>,
}

impl Mailer {
    /// Reads the settings; connects to nothing yet. Opened, used and dropped within a tokio runtime, in which the connections are
    /// kept.
    pub fn open(outlet: &Outlet) -> Result<Self, String> {
        let from: Mailbox = outlet.from.parse().map_err(|_| {
            "mail_from: write an address such as Three Rivers <whistle@example.org>".to_owned()
        })?;
        let reply = outlet.reply.as_deref().map(str::parse::<Address>).transpose();
        let reply = reply.map_err(|_| "mail_reply: write an address such as reply@example.org".to_owned())?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&outlet.smtp).map_err(|error| {
            format!("smtp: {error}; write smtps://USER:PASSWORD@HOST:465, or smtp://HOST:587?tls=required")
        })?;
        let transport = transport
            .timeout(Some(outlet.timeout))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .pool_config(PoolConfig::new().max_size(MAX_CONNECTIONS))
            .build();
        Ok(Self {
            transport,
            from,
            reply,
        })
    }

    /// Hands a letter to the server. It may have taken one that is answered [`Failed::Perhaps`]: it then gets the same
    /// Message-ID twice.
    pub async fn send(&self, letter: &Letter) -> Result<(), Failed> {
        let (envelope, message) = self.written(letter)?;
        match self.transport.send_raw(&envelope, &message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let what = why(&error).with(&in_one_line(&error));
                let code = error.status().map(u16::from);
                // 530 to 538 are about us and not about the reader: somebody must mend the settings, and then it goes.
                let ours = code.is_some_and(|code| (530..540).contains(&code));
                let is_final = error.is_permanent() && !ours;
                Err(match code {
                    Some(code) if is_final && is_of_address(code, &what) => Failed::Address(what),
                    _ if is_final => Failed::Never(what),
                    None if !(error.is_client() || error.is_tls() || is_away(&error)) => {
                        Failed::Perhaps(what)
                    }
                    _ => Failed::Later(what),
                })
            }
        }
    }

    fn written(&self, letter: &Letter) -> Result<(Envelope, Vec<u8>), Failed> {
        let unwritable = |what: &str| Failed::Never(Why::Unwritable.with(what));
        let bad_address = || Failed::Address(Why::BadAddress.as_str().to_owned());
        let to: Address = letter.to.parse().map_err(|_| bad_address())?;
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(&letter.words.subject)
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .raw_header(raw("Auto-Submitted", "auto-generated"))
            .raw_header(raw("List-Unsubscribe", &format!("<{}>", letter.stop)))
            .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        if let (Some(reply), Some(token)) = (&self.reply, &letter.reply_token) {
            message = message.reply_to(Mailbox::new(None, with_token(reply, token)?));
        }
        let words = &letter.words;
        let parts = MultiPart::alternative_plain_html(words.text.clone(), html(words));
        let message = message
            .multipart(parts)
            .map_err(|error| unwritable(&error.to_string()))?;
        // What bounces goes where answers go, with the token, so that it is known whose mail it was (VERP).
        let sender = match (&self.reply, &letter.bounce_token) {
            (Some(reply), Some(token)) => with_token(reply, token)?,
            _ => self.from.email.clone(),
        };
        let envelope =
            Envelope::new(Some(sender), vec![to]).map_err(|error| unwritable(&error.to_string()))?;
        Ok((envelope, message.formatted()))
    }
}

fn with_token(reply: &Address, token: &str) -> Result<Address, Failed> {
    let user = format!("{}+{token}", reply.user());
    let too_long = "mail_reply is too long for a token; take a shorter address";
    Address::new(user, reply.domain()).map_err(|_| Failed::Never(Why::Unwritable.with(too_long)))
}

/// Whether a refusal for good is about the address, and not about this one mail: by the enhanced code (RFC 3463) where the
/// server gave one, else by the plain one.
fn is_of_address(code: u16, answer: &str) -> bool {
    let enhanced = answer.split_whitespace().find_map(bounce::status);
    match enhanced {
        Some(status) => status.is_of_address(),
        None => matches!(code, 550 | 551 | 553),
    }
}

fn why(error: &lettre::transport::smtp::Error) -> Why {
    if error.is_permanent() {
        Why::MailRefused
    } else if error.is_transient() {
        Why::MailPutOff
    } else if error.is_timeout() {
        Why::MailTooSlow
    } else {
        Why::NoMailServer
    }
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        value.to_owned(),
        value.to_owned(),
    )
}

/// Whether nobody was reached to whom a word of it could have been said.
fn is_away(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| {
            matches!(
                cause.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::AddrNotAvailable
            )
        })
}

/// An error with its causes, for a log and a list: no line breaks, and not without end.
fn in_one_line(error: &dyn std::error::Error) -> String {
    const LONGEST: usize = 300;
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes
        .join(": ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(LONGEST)
        .collect()
}

/// The same words as simple HTML: paragraphs, and addresses that can be clicked.
fn html(words: &Words) -> String {
    let paragraphs = words.text.split("\n\n").map(|paragraph| {
        let lines: Vec<String> = paragraph.lines().map(line_in_html).collect();
        format!("<p>{}</p>\n", lines.join("<br>\n"))
    });
    let body: String = paragraphs.collect();
    let title = escaped(&words.subject);
    format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5; max-width: 40em\">\n{body}</body>\n</html>\n"
    )
}

fn line_in_html(line: &str) -> String {
    let is_link = |word: &str| word.starts_with("https://") || word.starts_with("http://");
    let word = |word: &str| {
        let shown = escaped(word);
        // A Chinese text has no gap before an address.
        match word.find("http").filter(|at| is_link(&word[*at..])) {
            Some(at) => {
                let (before, link) = (escaped(&word[..at]), escaped(&word[at..]));
                format!("{before}<a href=\"{link}\">{link}</a>")
            }
            None => shown,
        }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer(smtp: &str) -> Result<Mailer, String> {
        Mailer::open(&Outlet {
            smtp: smtp.to_owned(),
            from: "三江 <whistle@example.org>".to_owned(),
            reply: Some("reply@example.org".to_owned()),
            timeout: Outlet::TIMEOUT,
        })
    }

    #[tokio::test]
    async fn a_mail_can_be_recognised_answered_and_stopped() {
        let letter = Letter {
            to: "li@example.org".to_owned(),
            words: Words {
                subject: "案件 42：已结案".to_owned(),
                text: "已结案 <b>。\n\nhttps://example.org/a?b=1&c=2".to_owned(),
            },
            id: "n-1-42-1-abc.7".to_owned(),
            reply_token: Some("n-1-42-1-abc".to_owned()),
            bounce_token: Some("n-1-42-1-xyz".to_owned()),
            stop: "https://example.org/notices/stop?t=x".to_owned(),
        };
        let (envelope, message) = mailer("smtp://127.0.0.1:25").unwrap().written(&letter).unwrap();
        assert_eq!(envelope.to()[0].to_string(), "li@example.org");
        assert_eq!(
            envelope.from().unwrap().to_string(),
            "reply+n-1-42-1-xyz@example.org"
        );
        let message = String::from_utf8(message).unwrap();
        for line in [
            "Message-ID: <n-1-42-1-abc.7@example.org>",
            "Reply-To: reply+n-1-42-1-abc@example.org",
            "Auto-Submitted: auto-generated",
            "List-Unsubscribe: <https://example.org/notices/stop?t=x>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(message.contains(line), "{line} is not in\n{message}");
        }
    }

    #[test]
    fn a_refusal_of_the_mail_is_no_refusal_of_the_address() {
        for (code, answer) in [
            (550, "550 5.1.1 <li@example.org>: no such user"),
            (550, "550 no such user here"),
            (554, "554 5.1.10 null MX"),
            (550, "550 5.2.1 mailbox disabled"),
        ] {
            assert!(is_of_address(code, answer), "{answer}");
        }
        for (code, answer) in [
            (550, "550 5.7.1 rejected by policy"),
            (552, "552 5.2.2 mailbox full"),
            (554, "554 no"),
            (552, "552 too much mail"),
        ] {
            assert!(!is_of_address(code, answer), "{answer}");
        }
    }

    #[test]
    fn what_somebody_wrote_is_no_html() {
        let words = Words {
            subject: "<script>".to_owned(),
            text: "<img src=x> \"https://example.org/?a=1&b=2\"\n见https://example.org/2".to_owned(),
        };
        let html = html(&words);
        assert!(!html.contains("<script>") && !html.contains("<img"), "{html}");
        assert!(html.contains("见<a href=\"https://example.org/2\">"), "{html}");
    }

    #[tokio::test]
    async fn settings_that_cannot_be_right_are_refused() {
        for smtp in ["", "mail.example.org", "http://mail.example.org"] {
            assert!(mailer(smtp).is_err(), "{smtp}");
        }
        assert!(mailer("smtps://u:p@mail.example.org").is_ok());
    }
}
