package devserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"path"
	"strings"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"go.temporal.io/server/common/authorization"
)

// door admits to the frontend who presents the token. Whoever reaches loopback is every user and every program of the
// machine. There are no lesser rights: Muster checks actors in its own API and signs what it sends.
type door struct {
	sum [sha256.Size]byte // of the header that presents the token
}

var (
	_ authorization.ClaimMapper = door{}
	_ authorization.Authorizer  = door{}
)

func newDoor(t Token) door { return door{sha256.Sum256([]byte(t.bearer()))} }

// GetClaims gives every right to who presents the token, and none to others. The sums have one length and no order, so
// the time that comparing takes tells nothing.
func (d door) GetClaims(a *authorization.AuthInfo) (*authorization.Claims, error) {
	sum := sha256.Sum256([]byte(a.AuthToken))
	if subtle.ConstantTimeCompare(sum[:], d.sum[:]) == 0 {
		return nil, nil
	}
	return &authorization.Claims{System: authorization.RoleAdmin}, nil
}

// Authorize lets through who has every right, and anybody to the health check. The services behind the frontend have
// every right from the server itself: they come in by their own frontend, which asks for their certificate. The
// refusal is a status because streams, unlike calls, pass errors on as they are.
func (door) Authorize(_ context.Context, c *authorization.Claims, t *authorization.CallTarget) (authorization.Result, error) {
	health := strings.HasPrefix(t.APIName, "/"+healthpb.Health_ServiceDesc.ServiceName+"/")
	if health || c != nil && c.System == authorization.RoleAdmin {
		return authorization.Result{Decision: authorization.DecisionAllow}, nil
	}
	return authorization.Result{Decision: authorization.DecisionDeny}, status.Errorf(codes.PermissionDenied,
		"%s refused: want the token of the file %s in the data folder", path.Base(t.APIName), TokenFile)
}
