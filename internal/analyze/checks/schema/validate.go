package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/validation"
	"istio.io/istio/pkg/config/validation/envoyfilter"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// validators are what istiod's webhook runs for each kind.
var validators = map[mesh.Kind]validation.ValidateFunc{
	mesh.AuthorizationPolicy:   validation.ValidateAuthorizationPolicy,
	mesh.DestinationRule:       validation.ValidateDestinationRule,
	mesh.EnvoyFilter:           envoyfilter.ValidateEnvoyFilter,
	mesh.Gateway:               validation.ValidateGateway,
	mesh.PeerAuthentication:    validation.ValidatePeerAuthentication,
	mesh.ProxyConfig:           validation.ValidateProxyConfig,
	mesh.RequestAuthentication: validation.ValidateRequestAuthentication,
	mesh.ServiceEntry:          validation.ValidateServiceEntry,
	mesh.Sidecar:               validation.ValidateSidecar,
	mesh.Telemetry:             validation.ValidateTelemetry,
	mesh.TrafficExtension:      validation.ValidateTrafficExtension,
	mesh.VirtualService:        validation.ValidateVirtualService,
	mesh.WasmPlugin:            validation.ValidateWasmPlugin,
	mesh.WorkloadEntry:         validation.ValidateWorkloadEntry,
	mesh.WorkloadGroup:         validation.ValidateWorkloadGroup,
}

// istioKinds are the kinds with a validator, sorted.
func istioKinds() []mesh.Kind {
	return slices.SortedFunc(maps.Keys(validators), mesh.Kind.Compare)
}

// verdict is what istiod's webhook says of an object: warnings, and errors for
// which it refuses the object.
type verdict struct{ warnings, errs []error }

// verdicts are kept for a run, since several checks tell of them.
var verdicts = analyze.PerObject(validate)

// verdictsOf are istiod's verdicts on the objects of a kind, in the order of
// p.Objects.
func verdictsOf(p *analyze.Pass, kind mesh.Kind) []verdict {
	quiet()
	return verdicts.Of(p, kind)
}

// validate asks istiod's validator. It says nothing of objects that were not
// read whole: that would rest on values that are not there.
func validate(o *mesh.Object) (v verdict) {
	if !readable(o) {
		return verdict{}
	}
	defer func() {
		if r := recover(); r != nil {
			v = verdict{errs: []error{fmt.Errorf("istiod's validator fails on this object: %v", r)}}
		}
	}()
	meta := config.Meta{
		GroupVersionKind: config.GroupVersionKind{Group: o.Kind.Group, Version: o.Kind.Version, Kind: o.Kind.Kind},
		Name:             strings.TrimSuffix(o.Name, "*"), Namespace: o.Namespace, Labels: o.Labels, Annotations: o.Annotations,
	}
	all := parts(o.Typed())
	for i, part := range all {
		warning, err := validators[o.Kind](config.Config{Meta: meta, Spec: part})
		warnings := flatten(warning)
		for _, w := range warnings {
			renumber(w, i*mostRoutes)
		}
		v.warnings = append(v.warnings, warnings...)
		v.errs = append(v.errs, flatten(err)...)
	}
	if len(all) > 1 {
		v.warnings, v.errs = different(v.warnings), different(v.errs)
	}
	return v
}

// readable says whether all values of an object could be read; fields that do
// not exist count for nothing.
func readable(o *mesh.Object) bool {
	return !slices.ContainsFunc(o.Problems(), func(p mesh.Problem) bool { return !p.Unknown })
}

// flatten is the single errors in err.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var many *multierror.Error
	if errors.As(err, &many) {
		var all []error
		for _, e := range many.Errors {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}

// place is the field that a validator's message is about: the only one whose
// value the message quotes, the last of duplicates, the one without which there
// is no complaint, or the whole object.
func place(o *mesh.Object, message string) mesh.Location {
	for _, word := range quoted(message) {
		paths := find(o.Field("spec"), word, mesh.Path{"spec"})
		if len(paths) == 1 || len(paths) > 1 && strings.Contains(message, "uplicate") {
			return o.At("%s", paths[len(paths)-1])
		}
	}
	if path := narrow(o, message); path != nil {
		return o.At("%s", path)
	}
	return o.At("")
}

// quoted are the texts in double quotes, and the last word when it stands
// after a colon.
func quoted(message string) []string {
	var words []string
	for rest := message; ; {
		start := strings.IndexByte(rest, '"')
		if start < 0 {
			break
		}
		text, err := strconv.QuotedPrefix(rest[start:])
		if err != nil {
			break
		}
		if word, err := strconv.Unquote(text); err == nil && word != "" {
			words = append(words, word)
		}
		rest = rest[start+len(text):]
	}
	if i := strings.LastIndex(message, ": "); i >= 0 && !strings.ContainsAny(message[i+2:], ` "`) {
		words = append(words, message[i+2:])
	}
	return words
}

// find are the paths under value of scalars that read word.
func find(value any, word string, at mesh.Path) []mesh.Path {
	var found []mesh.Path
	switch v := value.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			found = append(found, find(v[k], word, at.Join(k))...)
		}
	case []any:
		for i, item := range v {
			found = append(found, find(item, word, at.Join(i))...)
		}
	case nil:
	default:
		if fmt.Sprint(v) == word {
			found = append(found, at)
		}
	}
	return found
}

// oneLine is a validator's error as one sentence.
func oneLine(err error) string {
	return strings.TrimSuffix(strings.Join(strings.Fields(err.Error()), " "), ".")
}
