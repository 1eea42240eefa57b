package devserver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	stdlog "log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/cors"
	"github.com/temporalio/ui-server/v2/server/csrf"
	"github.com/temporalio/ui-server/v2/server/route"
	uiassets "github.com/temporalio/ui-server/v2/ui"
	"google.golang.org/grpc/metadata"
)

// ui is Temporal's web UI on a listener of ours.
type ui struct {
	url    string
	server *http.Server
}

func startUI(opts Options, frontend string, t Token, log *logger) (*ui, error) {
	handler, err := uiHandler(frontend, opts, t)
	if err != nil {
		return nil, fmt.Errorf("start web UI: %w", err)
	}
	handler = onlyLooks(handler)
	if opts.UIGate != nil {
		handler = opts.UIGate(handler)
	}
	listener, err := listen(opts.UIPort)
	if err != nil {
		return nil, fmt.Errorf("start web UI: %w", err)
	}
	addr := listener.Addr().String()
	u := &ui{url: "http://" + addr, server: &http.Server{
		Handler:           onlyFor(addr, handler),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          stdlog.New(io.Discard, "", 0), // A browser that went away is nobody's concern.
	}}
	go func() {
		if err := u.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.out.Error("web UI ended", "error", err)
		}
	}()
	return u, nil
}

func (u *ui) stop() { _ = u.server.Close() }

// onlyFor refuses requests made under another name. A web page anywhere can give its own name the address 127.0.0.1
// and then read and write here from the user's browser, as if it came from this server (DNS rebinding).
func onlyFor(addr string, next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(addr)
	names := []string{addr, net.JoinHostPort("localhost", port), net.JoinHostPort("::1", port)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(names, r.Host) {
			http.Error(w, "unknown host name: use "+addr, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onlyLooks refuses what changes anything. The UI acts with the token, and what it does nobody has signed.
func onlyLooks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet, r.Method == http.MethodHead, r.Method == http.MethodPost && isQuery(r.URL):
			next.ServeHTTP(w, r)
		default:
			http.Error(w, "Muster's commands change workflows; this UI only looks", http.StatusForbidden)
		}
	})
}

// isQuery tells whether the path is that of a workflow's query, part for part: the UI's own check looks for words
// anywhere in it, also in a workflow's id. An escaped slash does not divide parts here, nor where the path is routed.
func isQuery(u *url.URL) bool {
	parts := strings.Split(u.EscapedPath(), "/")
	return len(parts) == 9 && slices.Equal(parts[:4], []string{"", "api", "v1", "namespaces"}) &&
		parts[5] == "workflows" && parts[7] == "query"
}

// presents adds the token to what the UI asks the frontend. It comes after the check against forged requests, which a
// request with such a header is spared.
func presents(t Token) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			// Whole histories are read with the request's context, everything else with its headers.
			ctx := metadata.AppendToOutgoingContext(c.Request().Context(), tokenHeader, t.bearer())
			c.SetRequest(c.Request().Clone(ctx))
			c.Request().Header.Set(tokenHeader, t.bearer())
			return next(c)
		}
	}
}

// uiHandler puts the UI's parts together as its own server does (ui-server/v2/server, NewServer). That server opens
// its port itself and ends the process when it cannot.
func uiHandler(frontend string, opts Options, t Token) (http.Handler, error) {
	provider, err := uiconfig.NewConfigProviderWithRefresh(&uiconfig.Config{
		TemporalGRPCAddress: frontend,
		EnableUI:            true,
		DefaultNamespace:    opts.Namespace,
		Codec:               uiconfig.Codec{Endpoint: opts.UICodec, IncludeCredentials: opts.UICodec != ""},
		CORS:                uiconfig.CORS{CookieInsecure: true}, // Plain HTTP, but never beyond loopback.
		DisableWriteActions: true,                                // onlyLooks would refuse them: it shows no buttons.
		// Both would look things up at Temporal's and others' sites.
		DisableNewsFetch:   true,
		NotifyOnNewVersion: false,
	})
	if err != nil {
		return nil, err
	}
	assets, err := uiassets.Assets()
	if err != nil {
		return nil, err
	}
	if assets, err = fs.Sub(assets, "local"); err != nil {
		return nil, err
	}

	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	e.Use(middleware.Recover(), middleware.Gzip())
	e.Use(cors.CORSMiddleware(cors.CORSConfig{ConfigProvider: provider}))
	e.Use(middleware.Secure(), csrf.EnsureTokenCookie(false), middleware.CSRFWithConfig(csrf.MiddlewareConfig(provider, false)))
	e.Use(presents(t))
	route.SetHealthRoute(e)
	if err := route.SetAPIRoutes(e, provider, nil); err != nil {
		return nil, err
	}
	if err := route.SetUIRoutes(e, "", assets, provider); err != nil {
		return nil, err
	}
	route.SetRenderRoute(e, "/")
	return e, nil
}
