package oidc

import "encoding/json"

// Identify reads who somebody is from the payload of an ID token.
func (c Config) Identify(payload []byte) (Identity, error) {
	var said claims
	if err := json.Unmarshal(payload, &said); err != nil {
		return Identity{}, err
	}
	return c.identity(said)
}
