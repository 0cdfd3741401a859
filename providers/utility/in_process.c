#include "providers/utility/in_process.h"

const char *utility_together(const struct provider_operation *op)
{
	(void)op;
	return "";
}

void utility_set_text(struct provider_builder *builder, const char *name, const char *text)
{
	provider_build_set(builder, name, hcl_string_cstr(builder->arena, text));
}

void utility_set_int(struct provider_builder *builder, const char *name, int64_t number)
{
	provider_build_set(builder, name, hcl_int_value(number));
}

/* Makes the object with fn out of base; on failure the result stays what it was. */
static void build(struct provider_operation *op, struct hcl_value base,
	void (*fn)(struct provider_operation *op, struct provider_builder *builder))
{
	struct provider_builder builder;
	provider_build(&builder, op->arena, op->type->schema, base);
	if (fn)
		fn(op, &builder);
	if (!op->problems.errors)
		op->result = provider_built(&builder);
}

/* The same where the object may turn out not to exist. */
static void build_if(struct provider_operation *op,
	bool (*fn)(struct provider_operation *op, struct provider_builder *builder))
{
	struct provider_builder builder;
	provider_build(&builder, op->arena, op->type->schema, op->planned);
	if (fn(op, &builder))
		op->result = provider_built(&builder);
}

static void import(const struct utility_kind *kind, struct provider_operation *op)
{
	if (kind->import)
		build(op, op->type->schema->empty, kind->import);
	else
		provider_error(&op->problems, NULL, "Type without import",
			"Objects of type %s can not be imported.", op->type->name);
}

static void run_one(const struct utility_kind *kind, struct provider_operation *op)
{
	struct hcl_value nothing = provider_schema_null(op->type->schema);
	op->result = nothing;
	switch (op->verb) {
	case PROVIDER_READ:
		if (kind->read)
			build(op, op->config, kind->read);
		else if (!kind->exists || kind->exists(op))
			op->result = op->prior;
		break;
	case PROVIDER_CREATE:
		build(op, op->planned, kind->create);
		break;
	case PROVIDER_UPDATE:
		op->result = op->prior;
		build(op, op->planned, kind->update);
		break;
	case PROVIDER_DELETE:
		if (kind->remove)
			kind->remove(op);
		if (op->problems.errors)
			op->result = op->prior;
		break;
	case PROVIDER_IMPORT:
		import(kind, op);
		break;
	case PROVIDER_RECOVER:
		if (kind->recover)
			build_if(op, kind->recover);
		break;
	}
}

void utility_run(
	const struct utility_kind *kind, struct provider_operation *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_one(kind, ops[i]);
}
