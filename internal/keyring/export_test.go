package keyring

// Private is tested alone: a test runs as one user.
var Private = private
