package node_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"muster/internal/node"
)

// certificate makes a certificate for loopback that is its own authority, and writes it and its key.
func certificate(t *testing.T, name string) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	folder := t.TempDir()
	certFile, keyFile = filepath.Join(folder, name+".crt"), filepath.Join(folder, name+".key")
	certPEM, keyPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	must(t, os.WriteFile(certFile, certPEM, 0o600))
	must(t, os.WriteFile(keyFile, keyPEM, 0o600))
	pair, err = tls.X509KeyPair(certPEM, keyPEM)
	must(t, err)
	return certFile, keyFile, pair
}

// The standard settings lead to a Temporal that speaks TLS, with an API key and with a client certificate.
func TestSecuredTemporal(t *testing.T) {
	serverCert, _, server := certificate(t, "server")
	clientCert, clientKey, _ := certificate(t, "client")
	authority := x509.NewCertPool()
	text, err := os.ReadFile(clientCert)
	must(t, err)
	authority.AppendCertsFromPEM(text)

	t.Run("an API key", func(t *testing.T) {
		s := newTemporal()
		t.Setenv("TEMPORAL_API_KEY", "the-key")
		t.Setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", serverCert)
		s.start(t, "127.0.0.1:0", grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{server}})),
			grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
				if md, _ := metadata.FromIncomingContext(ctx); len(md.Get("authorization")) != 1 || md.Get("authorization")[0] != "Bearer the-key" {
					return nil, status.Error(codes.Unauthenticated, "no key")
				}
				return next(ctx, req)
			}))
		cfg, _ := config(t)
		run(t, node.Worker, cfg)
		<-s.polled
	})
	t.Run("a client certificate", func(t *testing.T) {
		s := newTemporal()
		t.Setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", serverCert)
		t.Setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", clientCert)
		t.Setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", clientKey)
		s.start(t, "127.0.0.1:0", grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{server}, ClientCAs: authority, ClientAuth: tls.RequireAndVerifyClientCert,
		})))
		cfg, _ := config(t)
		run(t, node.Worker, cfg)
		<-s.polled
	})
}
