package crd

import (
	"slices"

	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/parser"
	kubecel "k8s.io/apiserver/pkg/cel"
)

// value is what a term is: a bool, int64, string, time.Duration, list or map,
// with its level of the schema unless it was made by the rule. nil is unknown: that what it
// is, or whether it is an error, only CEL can say.
type value struct {
	of    any
	level *node
}

// frame is what a rule is looked at with.
type frame struct {
	vars  [4]value // self, and what macros such as all go through
	steps int
}

// term is a part of a rule, ready to be looked at.
type term func(*frame) value

func constant(of any) term { return func(*frame) value { return value{of: of} } }

// parseRule is nil for what is no rule. Parts beyond what is understood here are
// unknown. whole is false for rules about how an object changes, which say
// nothing of a new one.
func parseRule(rule string) (judge term, whole bool) {
	p, err := parser.NewParser() // without macros: has and all stay calls
	if err != nil {
		return nil, false
	}
	tree, errs := p.Parse(common.NewTextSource(rule))
	if errs != nil && len(errs.GetErrors()) > 0 {
		return nil, false
	}
	r := &reader{names: []string{"self"}}
	judge = r.read(tree.Expr())
	return judge, !r.old
}

// reader makes terms of a rule's syntax tree.
type reader struct {
	names []string // of the variables
	old   bool     // oldSelf was seen
}

func (r *reader) read(e ast.Expr) term {
	switch e.Kind() {
	case ast.LiteralKind:
		switch v := e.AsLiteral().Value().(type) {
		case bool, int64, string:
			return constant(v)
		}
	case ast.MapKind:
		if e.AsMap().Size() == 0 {
			return constant(map[string]any{})
		}
	case ast.IdentKind:
		r.old = r.old || e.AsIdent() == "oldSelf"
		if i := slices.Index(r.names, e.AsIdent()); i >= 0 {
			return func(f *frame) value { f.steps++; return f.vars[i] }
		}
	case ast.SelectKind:
		return r.field(e.AsSelect(), func(of any, there bool, level *node) value {
			if !there || level.opaque {
				return value{}
			}
			return value{of, level}
		})
	case ast.ListKind:
		return r.list(e.AsList().Elements())
	case ast.CallKind:
		return r.call(e.AsCall())
	}
	return constant(nil)
}

// field is a term about a field that the schema has: then judges its value.
func (r *reader) field(e ast.SelectExpr, then func(of any, there bool, level *node) value) term {
	operand := r.read(e.Operand())
	name, ok := kubecel.Unescape(e.FieldName())
	if !ok {
		return constant(nil)
	}
	return func(f *frame) value {
		f.steps++
		object := operand(f)
		fields, isObject := object.of.(map[string]any)
		if !isObject || object.level == nil {
			return value{}
		}
		level := object.level.fields[name]
		if level == nil {
			return value{}
		}
		of, there := fields[name]
		if there && of == nil {
			return value{} // null
		}
		return then(of, there, level)
	}
}

// list is a list of literals.
func (r *reader) list(elements []ast.Expr) term {
	fixed := make([]any, len(elements))
	for i, e := range elements {
		if e.Kind() != ast.LiteralKind {
			return constant(nil)
		}
		fixed[i] = r.read(e)(nil).of
	}
	return constant(fixed)
}

func (r *reader) call(e ast.CallExpr) term {
	name, args := e.FunctionName(), e.Args()
	if name == "has" && !e.IsMemberFunction() && len(args) == 1 && args[0].Kind() == ast.SelectKind {
		return r.field(args[0].AsSelect(), func(_ any, there bool, _ *node) value { return value{of: there} })
	}
	if e.IsMemberFunction() && len(args) == 2 && args[0].Kind() == ast.IdentKind {
		return r.macro(name, e.Target(), args[0].AsIdent(), args[1])
	}
	if e.IsMemberFunction() {
		args = append([]ast.Expr{e.Target()}, args...)
	}
	terms := make([]term, len(args))
	for i, arg := range args {
		terms[i] = r.read(arg)
	}
	switch {
	case name == operators.LogicalAnd && len(terms) == 2:
		return decided(false, terms)
	case name == operators.LogicalOr && len(terms) == 2:
		return decided(true, terms)
	case name == operators.Conditional && len(terms) == 3:
		return func(f *frame) value {
			switch terms[0](f).of {
			case true:
				return terms[1](f)
			case false:
				return terms[2](f)
			}
			return value{}
		}
	case name == operators.Index && len(terms) == 2:
		return func(f *frame) value { f.steps++; return item(terms[0](f), terms[1](f)) }
	case name == "matches" && len(terms) == 2 && args[1].Kind() == ast.LiteralKind:
		return matches(terms[0], terms[1](nil).of)
	case name == "duration" && len(terms) == 1 && args[0].Kind() == ast.LiteralKind:
		return constant(duration(terms[0](nil).of))
	case len(terms) == 1 && unary[name] != nil:
		of := unary[name]
		return func(f *frame) value { f.steps++; return value{of: of(terms[0](f).of)} }
	case len(terms) == 2 && binary[name] != nil:
		of := binary[name]
		return func(f *frame) value {
			f.steps++
			a, b := terms[0](f), terms[1](f)
			if a.of == nil || b.of == nil || b.level != nil && b.level.items != nil && b.level.items.opaque {
				return value{}
			}
			return value{of: of(a.of, b.of)}
		}
	}
	return constant(nil)
}

// decided is && or ||: one side of the deciding value settles it, even when
// the other is an error.
func decided(by bool, terms []term) term {
	return func(f *frame) value {
		a := terms[0](f).of
		if a == by {
			return value{of: by}
		}
		b := terms[1](f).of
		switch {
		case b == by:
			return value{of: by}
		case a == !by && b == !by:
			return value{of: !by}
		}
		return value{}
	}
}
