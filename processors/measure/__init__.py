"""The measurements: a Faust app over outcomes, feedback and decisions. docs/adr/0004 says what Faust is used for."""
