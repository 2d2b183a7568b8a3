//! Why a request has no result: a status, and a sentence that says what to do.

use crate::error::Error;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;

/// A request without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: StatusCode,
    /// Expected, found, what to do next.
    pub message: String,
    /// When it is worth to ask again.
    pub retry_after: Option<Duration>,
    /// What an operator should know of it and a client should not.
    pub private: Option<String>,
}

impl Failure {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Failure {
        Failure { status, message: message.into(), retry_after: None, private: None }
    }

    /// The request is not what it should be.
    pub fn bad(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn not_found(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, message)
    }

    /// A field that a request lacks, in LibreTranslate's words.
    pub fn missing(field: &str) -> Failure {
        Failure::bad(format!("Invalid request: missing {field} parameter"))
    }

    /// The server cannot answer now.
    pub fn busy(message: impl Into<String>, retry_after: Duration) -> Failure {
        let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, message);
        Failure { retry_after: Some(retry_after), ..failure }
    }

    pub fn stopping() -> Failure {
        Failure::busy("the server is stopping", Duration::from_secs(10))
    }

    /// Something went wrong that is not the client's affair.
    pub fn internal(why: impl Into<String>) -> Failure {
        let message = "the server could not do that; its log says why";
        let failure = Failure::new(StatusCode::INTERNAL_SERVER_ERROR, message);
        Failure { private: Some(why.into()), ..failure }
    }

    /// The same in OpenAI's form.
    pub fn as_openai(&self) -> Response {
        let kind = match self.status.as_u16() {
            401 | 403 => "authentication_error",
            429 => "rate_limit_error",
            400..500 => "invalid_request_error",
            _ => "server_error",
        };
        let error = json!({"message": self.message, "type": kind, "param": null, "code": null});
        self.answered(json!({"error": error}).to_string())
    }

    fn answered(&self, body: String) -> Response {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The middleware that counts requests hands it to the operator.
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.answered(json!({"error": self.message}).to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Input { message, .. } | Error::Usage(message) => Failure::bad(message),
            Error::Interrupted => Failure::stopping(),
            Error::OutOfMemory(_) => {
                let message = "the device has no memory left for this; ask again, or for less";
                Failure::busy(message, Duration::from_secs(5))
            }
            Error::Fetch { .. } => Failure {
                private: Some(error.to_string()),
                ..Failure::busy(
                    "the model for this pair of languages could not be fetched",
                    Duration::from_secs(60),
                )
            },
            other => Failure::internal(other.to_string()),
        }
    }
}
