package upgrade

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
)

// language is what the expressions of rules are written in: CEL with optional
// fields, over
//
//	object               the object as it was written
//	ns                   the namespace where it lives
//	labels, annotations  its own, or its pods'; never missing
//	mesh                 see facts.go
var language = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.OptionalTypes(), ext.Strings(), cel.CrossTypeNumericComparisons(true),
		cel.Variable("object", cel.DynType),
		cel.Variable("labels", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("annotations", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("mesh", cel.DynType),
		cel.Variable("ns", cel.StringType),
	)
})

// compile makes an expression ready to run.
func compile(text string) (cel.Program, error) {
	env, err := language()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, fmt.Errorf("reading the expression %s: %w", text, issues.Err())
	}
	return env.Program(ast)
}

// evaluate runs an expression that yields a T.
func evaluate[T any](program cel.Program, variables map[string]any) (T, error) {
	var none T
	out, _, err := program.Eval(variables)
	if err != nil {
		return none, err
	}
	value, ok := out.Value().(T)
	if !ok {
		return none, fmt.Errorf("the expression yields %v, a %T", out.Value(), out.Value())
	}
	return value, nil
}
