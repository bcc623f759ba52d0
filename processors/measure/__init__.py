"""The measurements: a Faust app over outcomes, feedback and decisions. What Faust is trusted with: docs/adr/0004."""
