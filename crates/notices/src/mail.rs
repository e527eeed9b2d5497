//! E-mail: a letter made of words, and the way it goes, by SMTP.

use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{PoolConfig, extension::ClientId},
};

use crate::{Failed, Why, template::Words};

/// How long each step of a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(20);

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
            .timeout(Some(TIMEOUT))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .pool_config(PoolConfig::new().max_size(MAX_CONNECTIONS))
            .build();
        Ok(Self {
            transport,
            from,
            reply,
        })
    }

    /// Hands a letter to the server. The server may have taken a letter that is answered [`Failed::Later`]: it then gets the
    /// same Message-ID twice.
    pub async fn send(&self, letter: &Letter) -> Result<(), Failed> {
        let (envelope, message) = self.written(letter)?;
        match self.transport.send_raw(&envelope, &message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let what = why(&error).with(&in_one_line(&error));
                // 530 to 538 are about us and not about the reader: somebody must mend the settings, and then it goes.
                let ours = error.status().is_some_and(|code| {
                    let code: u16 = code.into();
                    (530..540).contains(&code)
                });
                Err(if error.is_permanent() && !ours {
                    Failed::Never(what)
                } else {
                    Failed::Later(what)
                })
            }
        }
    }

    fn written(&self, letter: &Letter) -> Result<(Envelope, Vec<u8>), Failed> {
        let unwritable = |what: &str| Failed::Never(Why::Unwritable.with(what));
        let to: Address = letter.to.parse().map_err(|_| Why::BadAddress.never())?;
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
            let user = format!("{}+{token}", reply.user());
            let address = Address::new(user, reply.domain())
                .map_err(|_| unwritable("mail_reply is too long for a token; take a shorter address"))?;
            message = message.reply_to(Mailbox::new(None, address));
        }
        let words = &letter.words;
        let parts = MultiPart::alternative_plain_html(words.text.clone(), html(words));
        let message = message
            .multipart(parts)
            .map_err(|error| unwritable(&error.to_string()))?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to])
            .map_err(|error| unwritable(&error.to_string()))?;
        Ok((envelope, message.formatted()))
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
            stop: "https://example.org/notices/stop?t=x".to_owned(),
        };
        let (envelope, message) = mailer("smtp://127.0.0.1:25").unwrap().written(&letter).unwrap();
        assert_eq!(envelope.to()[0].to_string(), "li@example.org");
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
