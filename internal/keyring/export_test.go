package keyring

// Private is tested alone, for a test runs as one user, and Fixed, for it mounts nothing.
var (
	Private = private
	Fixed   = fixed
)
